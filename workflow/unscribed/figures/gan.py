"""Figure of the GAN's training: weighted perplexity, losses of the discriminator, phones in use."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from unscribed.artifacts import Pathlike
from unscribed.evaluation.select import shown_candidate
from unscribed.figures.style import BLUE, GREEN, GREY, ORANGE, save, style
from unscribed.gan.curves import GanCurveTable
from unscribed.selection.select import CandidateTable

FAKE, REAL = ("discriminator_fake", GREEN, "audio (fake)"), ("discriminator_real", ORANGE, "text (real)")
WIDE_RANGE = 100  # perplexities that differ by this factor get ticks at powers of ten only


def gan_figure(*, curves: Sequence[str], candidates: Pathlike, figure: Pathlike) -> None:
    """Draw three panels over the updates: weighted perplexity, losses of the discriminator, share of phones in use.

    `curves` are the tables of all jobs, `candidates` that of the stage select. The chosen run is thick (if a round of
    the matching was chosen, the best-scored run); a run that collapsed or diverged ends in a cross.
    """
    table = pd.concat([GanCurveTable.read(path) for path in curves], ignore_index=True)
    choice = CandidateTable.read(candidates)
    shown = shown_candidate(choice, "gan")
    chosen = bool(choice.loc[choice["candidate"] == shown, "chosen"].any())
    with style():
        drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.4), sharex=True, layout="constrained")
        for label, rows in table.replace([np.inf, -np.inf], np.nan).groupby("label"):
            rows, thick = rows.sort_values("update"), label == shown
            _run_line(left, rows, "weighted_perplexity", BLUE if thick else GREY, thick)
            _run_line(right, rows, "usage", BLUE if thick else GREY, thick)
            for column, colour, _ in (FAKE, REAL):
                _line(middle, rows, column, colour, thick)
        _perplexity_axis(left, table["weighted_perplexity"])
        _loss_axis(middle)
        right.set(title="Phones in use", ylabel="share of the inventory", ylim=(0, 1.05))
        right.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        for axes in (left, middle, right):
            axes.set_xlabel("updates")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.set_axisbelow(True)
        name = f"{shown}, {'chosen' if chosen else 'best score of the GAN'}"
        drawing.legend(handles=_legend(name, table), loc="outside lower center", ncols=3)
        save(drawing, figure)


def _line(axes: Axes, rows: pd.DataFrame, column: str, colour: str, thick: bool) -> pd.DataFrame:
    """Draw one curve; return its points that are not null."""
    known = rows.dropna(subset=column)
    look = {"linewidth": 2.6, "zorder": 5} if thick else {"linewidth": 1.0, "alpha": 0.55}
    axes.plot(known["update"], known[column], color=colour, **look)
    return known


def _run_line(axes: Axes, rows: pd.DataFrame, column: str, colour: str, thick: bool) -> None:
    """Draw one curve, with a cross at its end if the run collapsed or diverged."""
    known = _line(axes, rows, column, colour, thick)
    if len(known) and rows["status"].iloc[-1] != "ok":
        last = known.iloc[-1]
        axes.plot(last["update"], last[column], marker="x", color=ORANGE, markersize=8, markeredgewidth=2, zorder=6)


def _perplexity_axis(axes: Axes, values: pd.Series) -> None:
    axes.set(title="Weighted perplexity (lower is better)", ylabel="perplexity / usage²", yscale="log")
    known = values[np.isfinite(values)]
    if not len(known):
        axes.text(0.5, 0.5, "all runs decode only silence", ha="center", va="center", transform=axes.transAxes)
        return
    narrow = known.max() < WIDE_RANGE * known.min()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _loss_axis(axes: Axes) -> None:
    axes.set(title="Losses of the discriminator", ylabel="cross entropy (nats)")
    axes.axhline(math.log(2), color=GREY, linewidth=1.2, linestyle="--", zorder=2)
    axes.set_ylim(bottom=0)
    axes.annotate(
        "guessing: ln 2",
        (1, math.log(2)),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=GREY,
        zorder=7,
    )
    axes.legend(handles=[Line2D([], [], color=colour, linewidth=2.6, label=label) for _, colour, label in (FAKE, REAL)])


def _legend(name: str, table: pd.DataFrame) -> list[Line2D]:
    """Legend entries: the thick run and, if there are any, other runs and runs that collapsed or diverged."""
    found = [Line2D([], [], color=BLUE, linewidth=2.6, label=name)]
    if table["label"].nunique() > 1:
        found.append(Line2D([], [], color=GREY, linewidth=1.0, label="other runs"))
    if (table.sort_values("update").groupby("label")["status"].last() != "ok").any():
        cross = {"marker": "x", "markersize": 8, "markeredgewidth": 2, "linestyle": ""}
        found.append(Line2D([], [], color=ORANGE, label="collapsed or diverged", **cross))
    return found
