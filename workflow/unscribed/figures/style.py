"""The style of all figures, and writing them."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")  # no display on a cluster node

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from unscribed.artifacts import Pathlike, atomic_path

# The coloured ones are Okabe and Ito's (2008), which people with any kind of colour blindness can tell apart.
BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8A8A", "#262626"
PURPLE = "#CC79A7"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", "#F0E442", GREY)  # for many curves


@contextmanager
def style() -> Iterator[None]:
    """Use the style of this project inside the block. DejaVu Sans, because it has all IPA letters."""
    with plt.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "text.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "legend.fontsize": 9,
        }
    ):
        yield


def save(drawing: Figure, path: Pathlike) -> None:
    """Write a figure as PNG at 150 dpi, atomically, and close it."""
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, format="png", dpi=150)
    plt.close(drawing)


def save_note(text: str, path: Pathlike) -> None:
    """Write a figure of `text` alone, which explains why there is nothing to draw."""
    drawing = plt.figure(figsize=(6, 1.5))
    drawing.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    save(drawing, path)
