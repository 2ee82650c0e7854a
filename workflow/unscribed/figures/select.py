"""Figure of the choice among the candidates: label-free score against phone error rate."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from unscribed.artifacts import Pathlike
from unscribed.evaluation.select import ScoredTable
from unscribed.figures.style import BLUE, GREEN, INK, ORANGE, PURPLE, save, style

KINDS = {
    "match": (BLUE, "o", "round of the matching"),
    "gan": (ORANGE, "s", "run of the GAN"),
    "teacher": (PURPLE, "^", "teacher"),
}
SCORE = "merit, validation set: higher is better"


def select_figure(*, scored: Pathlike, figure: Pathlike) -> None:
    """Draw every candidate's label-free score and PER of the test set; the chosen one and the lowest PER are marked.

    `scored` is the table of the stage evaluate_select. Without references the scores are bars. Candidates that decode
    only silence have no finite score and are counted in the title.
    """
    table = ScoredTable.read(scored)
    silent = int(np.isinf(table["merit"]).sum())
    table = table[np.isfinite(table["merit"])]
    table = table.sort_values("merit", ascending=False, kind="stable").reset_index(drop=True)
    note = f" ({silent} more decode only silence)" if silent else ""
    with style():
        if table["per"].isna().all():
            drawing, axes = plt.subplots(figsize=(9, 1.8 + 0.28 * len(table)), layout="constrained")
            title = f"Label-free scores of the candidates{note}; without transcripts no error rate is known"
            keys = _bars(axes, table)
        else:
            drawing, axes = plt.subplots(figsize=(8, 5.6), layout="constrained")
            title = f"Label-free score and phone error rate of the candidates{note}"
            keys = _points(axes, table)
        drawing.suptitle(title, x=0.01, ha="left", fontsize=11)
        drawing.legend(handles=keys, loc="outside lower left", ncols=2, markerscale=0.75, labelspacing=0.7)
        save(drawing, figure)


def _points(axes: Axes, table: pd.DataFrame) -> list[Artist]:
    """Draw a point per candidate."""
    look = {"s": 42, "alpha": 0.8, "linewidths": 0, "zorder": 3}
    keys = [
        axes.scatter(rows["merit"], 100 * rows["per"], color=colour, marker=marker, label=label, **look)
        for kind, (colour, marker, label) in KINDS.items()
        if len(rows := table[table["kind"] == kind])
    ]
    for role, place, colour, marker, size in (
        ("chosen", table["chosen"].idxmax(), INK, "o", 170),
        ("lowest error rate", table["per"].idxmin(), GREEN, "D", 200),
    ):
        row = table.loc[place]
        label = f"{role}: {row['candidate']} ({100 * row['per']:.1f} %)"
        ring = {"s": size, "facecolors": "none", "edgecolors": colour, "linewidths": 1.8, "zorder": 4}
        keys.append(axes.scatter(row["merit"], 100 * row["per"], marker=marker, label=label, **ring))
    axes.margins(0.12)
    axes.set_ylim(bottom=0)
    axes.set(xlabel=SCORE, ylabel="phone error rate, test set (%)")
    return keys


def _bars(axes: Axes, table: pd.DataFrame) -> list[Artist]:
    """Draw a bar per candidate, the best score on top."""
    names = [f"{row.candidate} (chosen)" if row.chosen else row.candidate for row in table.itertuples()]
    below = table["merit"].max() - table["merit"]
    bars = axes.barh(range(len(table)), below, color=[KINDS[kind][0] for kind in table["kind"]], height=0.7)
    axes.bar_label(bars, fmt="%.3f", padding=4, fontsize=9)
    axes.set_yticks(range(len(table)), names)
    for bar, label, chosen in zip(bars, axes.get_yticklabels(), table["chosen"], strict=True):
        bar.set(edgecolor=INK, linewidth=1.8 if chosen else 0)
        label.set_fontweight("bold" if chosen else "normal")
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.02)
    axes.set_xlabel("merit below the best candidate's: lower is better")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return [
        Patch(color=colour, label=label) for kind, (colour, _, label) in KINDS.items() if kind in set(table["kind"])
    ]
