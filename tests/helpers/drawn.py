"""Checks of a drawn figure."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def assert_drawn(path: Path, inked: float = 0.01) -> None:
    """Fail if the image is small or nearly blank, or its figure is still in memory."""
    image = plt.imread(path)[..., :3]
    assert min(image.shape[:2]) > 200
    assert (image.min(axis=2) < 0.9).mean() > inked, "the figure is blank"
    assert not plt.get_fignums(), "the figure stays in memory"


def lines(axes: Axes) -> dict[str, list[float]]:
    """Return the values of each line by its label."""
    return {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}
