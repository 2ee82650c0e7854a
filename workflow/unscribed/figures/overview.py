"""Figures of a whole run: loss and error rate per round, confusions between phones, where the time went."""

from collections.abc import Sequence
from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from unscribed.artifacts import Pathlike, read_json, read_table
from unscribed.evaluation.metrics import by_round
from unscribed.evaluation.per import GAP
from unscribed.figures.phone_classes import phone_class, printed_letters, sort_key
from unscribed.figures.style import BLUE, GREY, INK, ORANGE, save, save_note, style


def rounds_figure(*, rounds: Pathlike, restarts: Sequence[str], figure: Pathlike) -> None:
    """Loss and phone error rate after each round of the matching, for all seeds.

    `rounds` is the table of the stage evaluate; `restarts` hold the losses of the stage match, drawn as dots. A line is
    the distance that the decoded phones of a round leave, a dot the optimum over soft mappings of its units.
    """
    table = read_table(rounds)
    dots = [(number, last_losses(path)) for (_, number), path in by_round(restarts).items()]
    with style():
        drawing, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        for number, losses in dots:
            left.scatter([number] * len(losses), losses, s=14, color=ORANGE, alpha=0.6, linewidths=0, zorder=3)
        _seed_lines(left, table, "loss", 1)
        _seed_lines(right, table, "per", 100)
        left.set(title="Loss of the matching (uses no label)", xlabel="round", ylabel="loss")
        right.set(title="Phone error rate of the test set", xlabel="round", ylabel="phone error rate (%)")
        left.scatter([], [], s=14, color=ORANGE, label="restart")
        left.legend()
        if table["per"].isna().all():
            right.text(0.5, 0.5, "no transcripts: not known", ha="center", va="center", transform=right.transAxes)
        else:
            right.set_ylim(0, max(100, 100 * table["per"].max() * 1.05))
        for axes in (left, right):
            axes.set_xticks(sorted(table["round"].unique()))
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.set_axisbelow(True)
        save(drawing, figure)


def last_losses(path: str) -> pd.Series:
    """Losses of the restarts of a round's last pass; those of earlier ones, with other units, are on other scales."""
    table = read_table(path)
    return table.loc[table["units"] == table["units"].iloc[-1], "loss"]


def _seed_lines(axes: Axes, table: pd.DataFrame, column: str, scale: float) -> None:
    """One line per seed, the shown one thick, on top and with its last value."""
    for seed, rows in table.dropna(subset=column).groupby("seed"):
        rows = rows.sort_values("round")
        selected = bool(rows["selected"].iloc[0])
        look = {"color": BLUE, "linewidth": 2.8, "zorder": 5} if selected else {"color": GREY, "linewidth": 1.0}
        label = f"seed {seed}" if selected else "other seeds"
        if label in axes.get_legend_handles_labels()[1]:
            label = "_again"
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


def confusions_figure(*, confusions: Pathlike, figure: Pathlike) -> None:
    """Phone confusion matrix of the test set: each row says what became of one reference phone.

    Rows add up to 1; phones are sorted by class. Column "deleted" and row "inserted" lie apart.
    """
    table = read_table(confusions)
    with style():
        if not len(table):
            save_note("No transcripts for the test set: there are no confusions to show.", figure)
            return
        phones = sorted({*table["reference"], *table["hypothesis"]} - {GAP}, key=sort_key)
        counts = table.pivot(index="reference", columns="hypothesis", values="count").fillna(0)
        counts = counts.reindex(index=[*phones, GAP], columns=[*phones, GAP], fill_value=0).to_numpy(dtype=float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shares[-1, -1] = np.nan  # nothing inserted as nothing
        size = 0.165 * (len(phones) + 1)
        drawing, axes = plt.subplots(figsize=(size + 3.2, size + 1.4), layout="constrained")
        image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
        _confusion_axes(axes, phones)
        bar = drawing.colorbar(image, ax=axes, shrink=0.5, aspect=25, pad=0.02, ticks=[0, 0.05, 0.2, 0.5, 1])
        bar.ax.set_yticklabels(["0", "5 %", "20 %", "50 %", "100 %"])
        bar.set_label("share of the reference phone (row)")
        bar.outline.set_visible(False)
        save(drawing, figure)


def _confusion_axes(axes: Axes, phones: list[str]) -> None:
    """Label rows and columns with the phones, and separate and name their classes."""
    end = len(phones)
    axes.set_xticks(range(end + 1), [*phones, "deleted"], fontsize=8)
    axes.set_yticks(range(end + 1), [*phones, "inserted"], fontsize=8)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    for tick, name in zip(axes.xaxis.get_major_ticks(), [*phones, "deleted"], strict=True):
        tick.label2.set(rotation=90 if printed_letters(name) > 2 else 0)
    axes.set_xlabel("recognised as", loc="left")
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("reference phone")
    axes.spines[:].set_visible(False)
    first = 0
    for name, members in groupby(phones, key=phone_class):
        count = len(list(members))
        axes.text(end + 0.8, first + (count - 1) / 2, name, fontsize=9, va="center", color=INK)
        first += count
        for line in (axes.axhline, axes.axvline):
            line(first - 0.5, color=INK if first == end else "#A8A8A8", linewidth=0.8)


def seconds_figure(*, metrics: Pathlike, figure: Pathlike) -> None:
    """Where the time went: seconds and peak memory of each stage, the longest on top."""
    values = read_json(metrics)
    stages = {key.removeprefix("seconds."): value for key, value in values.items() if key.startswith("seconds.")}
    with style():
        if not stages:
            save_note("No benchmark files: the time of the stages is not known.", figure)
            return
        names = sorted(stages, key=lambda name: stages[name])
        total = sum(stages.values())
        drawing, axes = plt.subplots(figsize=(8, 1.2 + 0.28 * len(names)), layout="constrained")
        axes.barh(names, [stages[name] for name in names], color=BLUE, height=0.7)
        for row, name in enumerate(names):
            memory = values.get(f"memory_mb.{name}")
            peak = "" if memory is None else f"  ·  {memory:,.0f} MB"
            axes.annotate(
                f"{_duration(stages[name])}  ·  {_share(stages[name], total)}{peak}",
                (stages[name], row),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes.margins(y=0.02)
        axes.set_xlim(0, 1.4 * max(stages.values()) or 1)
        axes.set_title(f"Seconds by stage ({_duration(total)} of work in all; share, peak memory)")
        axes.set_xlabel("seconds, added up over the stage's jobs")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        save(drawing, figure)


def _share(part: float, total: float) -> str:
    percent = 100 * part / max(total, 1e-9)
    return f"{percent:.0f} %" if percent >= 1 else "< 1 %"


def _duration(seconds: float) -> str:
    """Seconds for people: 4.2 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
