"""Figure of the rounds of the matching: objective of the restarts, discrepancy from the text, phone error rate."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from unscribed.artifacts import Pathlike
from unscribed.evaluation.metrics import by_round
from unscribed.evaluation.tables import RoundTable
from unscribed.figures.style import BLUE, GREY, ORANGE, save, style
from unscribed.tables import RestartTable


def rounds_figure(*, rounds: Pathlike, restarts: Sequence[str], figure: Pathlike) -> None:
    """Draw three panels over the rounds, for all seeds: restarts as dots, discrepancy and phone error rate as lines.

    `rounds` is the table of the stage evaluate; `restarts` are the tables of the stage match. Objective and discrepancy
    are the same distance from the text, of softly mapped units and of decoded phones, so their scales differ.
    """
    table = RoundTable.read(rounds)
    with style():
        drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
        _restarts(left, restarts)
        _seed_lines(middle, table, "discrepancy", 1)
        _seed_lines(right, table, "per", 100)
        left.set(title="Objective of the restarts (uses no label)", ylabel="objective")
        middle.set(title="Discrepancy from the text (uses no label)", ylabel="discrepancy of the decoded phones")
        right.set(title="Phone error rate of the test set", ylabel="phone error rate (%)")
        middle.legend()
        if table["per"].isna().all():
            right.text(0.5, 0.5, "no transcripts: not known", ha="center", va="center", transform=right.transAxes)
        else:
            right.set_ylim(bottom=0)
        for axes in (left, middle, right):
            axes.set_xlabel("round")
            axes.set_xticks(sorted(table["round"].unique()))
            axes.margins(x=0.12)
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.set_axisbelow(True)
        save(drawing, figure)


def last_objectives(path: str) -> pd.DataFrame:
    """Read the restarts of a round's last pass; earlier passes have other units, and objectives on other scales."""
    table = RestartTable.read(path)
    return table[table["units"] == table["units"].iloc[-1]]


def _restarts(axes: Axes, paths: Sequence[str]) -> None:
    """Draw a dot per restart, with a ring around the lowest of each seed and round."""
    passes = [(number, last_objectives(path)) for (_, number), path in by_round(paths).items()]
    ring = {"s": 70, "facecolors": "none", "edgecolors": BLUE, "linewidths": 1.5, "zorder": 4}
    for number, table in passes:
        values, lowest = table["objective"], table.loc[table["chosen"], "objective"]
        axes.scatter([number] * len(values), values, s=14, color=ORANGE, alpha=0.6, linewidths=0, zorder=3)
        axes.scatter([number] * len(lowest), lowest, **ring)
    axes.scatter([], [], s=14, color=ORANGE, label="restart")
    axes.scatter([], [], label="lowest of a seed (kept)", **ring)
    axes.legend()


def _seed_lines(axes: Axes, table: pd.DataFrame, column: str, scale: float) -> None:
    """Draw one line per seed, that of the chosen candidate thick, on top and with its last value."""
    for seed, rows in table.dropna(subset=column).groupby("seed"):
        rows = rows.sort_values("round")
        selected = bool(rows["selected"].iloc[0])
        look = {"color": BLUE, "linewidth": 2.8, "zorder": 5} if selected else {"color": GREY, "linewidth": 1.0}
        label = f"seed {seed}" if selected else "other seeds"
        if label in axes.get_legend_handles_labels()[1]:
            label = "_again"  # matplotlib leaves labels with an underscore out of the legend
        axes.plot(rows["round"], scale * rows[column], marker="o", markersize=4, label=label, **look)
        if selected:
            last = scale * rows[column].iloc[-1]
            axes.annotate(
                f"{last:.3g}",
                (rows["round"].iloc[-1], last),
                (8, 0),
                textcoords="offset points",
                color=BLUE,
                va="center",
            )
