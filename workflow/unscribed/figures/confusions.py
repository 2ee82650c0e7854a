"""Figure of the phone confusions."""

from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from unscribed.artifacts import Pathlike
from unscribed.evaluation.per import GAP
from unscribed.evaluation.tables import ConfusionTable
from unscribed.figures.phone_classes import phone_class, printed_letters, sort_key
from unscribed.figures.style import INK, save, save_note, style


def confusions_figure(*, confusions: Pathlike, figure: Pathlike) -> None:
    """Draw the phone confusion matrix of the test set: each row shows how one reference phone was recognised.

    Rows add up to 1; phones are sorted by class. The last column is "deleted", the last row "inserted".
    """
    table = ConfusionTable.read(confusions)
    with style():
        if not len(table):
            save_note("No transcripts for the test set: there are no confusions to show.", figure)
            return
        phones = sorted({*table["reference"], *table["hypothesis"]} - {GAP}, key=sort_key)
        counts = table.pivot(index="reference", columns="hypothesis", values="count").fillna(0)
        counts = counts.reindex(index=[*phones, GAP], columns=[*phones, GAP], fill_value=0).to_numpy(dtype=float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shares[-1, -1] = np.nan  # "inserted" and "deleted" have no cell in common
        size = 0.165 * (len(phones) + 1)  # inches
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
