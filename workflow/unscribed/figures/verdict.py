"""Figure of the verdict: whether the run has learned, and the figures that it rests on."""

import textwrap

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from unscribed.artifacts import Pathlike, read_json
from unscribed.figures.style import GREEN, GREY, INK, ORANGE, save, style

REACH = 1.6  # times the bad limit that is shown of an axis; what is beyond lies at its end
WIDTH = 100  # characters of a line


def verdict_figure(*, verdict: Pathlike, figure: Pathlike) -> None:
    """Draw each figure as a mark on its axis, which is green where it is good and orange where it is bad."""
    found = read_json(verdict)
    rows = found["figures"]
    with style():
        drawing, axes = plt.subplots(
            len(rows), 1, figsize=(9, 1.3 + 0.85 * len(rows)), layout="constrained", squeeze=False
        )
        drawing.suptitle(f"Without transcripts: {found['verdict']}", x=0.01, ha="left", fontsize=14)
        for axis, (name, row) in zip(axes[:, 0], rows.items(), strict=True):
            _draw(axis, name, row)
        drawing.supxlabel(textwrap.fill(found["advice"], WIDTH), x=0.01, ha="left", fontsize=9)
        save(drawing, figure)


def _draw(axis: Axes, name: str, row: dict) -> None:
    """One figure on its axis."""
    end = REACH * row["bad"]
    for first, last, colour in ((0, row["good"], GREEN), (row["good"], row["bad"], GREY), (row["bad"], end, ORANGE)):
        axis.axvspan(first, last, color=colour, alpha=0.35, linewidth=0)
    place = min(row["value"], 0.99 * end)
    axis.plot([place], [0.5], marker="D", markersize=9, color=INK)
    axis.annotate(f"{row['value']:.3f}", (place, 0.5), (9, -4), textcoords="offset points", size=10)
    axis.set(xlim=(0, end), ylim=(0, 1), yticks=[])
    axis.set_title(f"{name}: {row['meaning']}", fontsize=9)
    axis.spines["left"].set_visible(False)
