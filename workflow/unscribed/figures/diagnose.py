"""Figure of the diagnosis: how far the oracle map, phones drawn by lot and the matching are from the text."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from unscribed.artifacts import Pathlike
from unscribed.evaluation.tables import DRAWN, FOUND, FROM_ORACLE, ORACLE, AnswerTable
from unscribed.figures.style import BLUE, GREEN, GREY, ORANGE, save, style

COLOURS = {ORACLE: GREEN, FROM_ORACLE: BLUE, FOUND: ORANGE, DRAWN: GREY}
TITLES = {"segments": "Segments as they are", "true": "True boundaries"}


def diagnose_figure(*, table: Pathlike, figure: Pathlike) -> None:
    """Draw the loss of every answer, with its PER, a panel for each segmentation."""
    answers = AnswerTable.read(table)
    cuts = answers["segmentation"].unique()
    with style():
        drawing, panels = plt.subplots(1, len(cuts), figsize=(1.5 + 5 * len(cuts), 2.8), layout="constrained")
        for axes, cut in zip([panels] if len(cuts) == 1 else panels, cuts, strict=True):
            _panel(axes, answers[answers["segmentation"] == cut])
            axes.set(title=TITLES[cut], xlabel="discrepancy from the text: lower is nearer")
        save(drawing, figure)


def _panel(axes: Axes, answers: pd.DataFrame) -> None:
    """Draw a point per answer, the oracle map on top; a line marks the nearest draw, which the oracle has to beat."""
    shown = [answer for answer in COLOURS if answer in set(answers["answer"])]
    for height, answer in enumerate(reversed(shown)):
        rows = answers[answers["answer"] == answer]
        axes.plot(rows["loss"], [height] * len(rows), "o", color=COLOURS[answer], alpha=0.8)
        label = f"PER {100 * rows['per'].mean():.1f} %"
        axes.annotate(label, (rows["loss"].mean(), height), (0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.axvline(answers[answers["answer"] == DRAWN]["loss"].min(), color=GREY, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(shown)), reversed(shown))
    axes.set_ylim(-0.5, len(shown) - 0.3)
    axes.margins(x=0.2)
