"""Figure of the most frequent word errors."""

import matplotlib.pyplot as plt

from unscribed.artifacts import Pathlike
from unscribed.evaluation.per import GAP
from unscribed.evaluation.tables import ConfusionTable
from unscribed.figures.style import BLUE, GREY, ORANGE, save, save_note, style

SHOWN = 20  # bars
# kind of error: colour, and the label of the bar made from reference and hypothesis
KINDS = {
    "substituted": (BLUE, "{0} → {1}"),
    "deleted": (GREY, "{0} → —"),
    "inserted": (ORANGE, "— → {1}"),
}


def words_figure(*, word_errors: Pathlike, figure: Pathlike) -> None:
    """Draw the most frequent word errors of the test set as horizontal bars, the most frequent on top."""
    table = ConfusionTable.read(word_errors)
    with style():
        if not len(table):
            save_note("No word errors to show: the test set has no transcripts, or all its words are right.", figure)
            return
        rows = list(table.head(SHOWN).itertuples(index=False))
        drawing, axes = plt.subplots(figsize=(8, 1.3 + 0.28 * len(rows)), layout="constrained")
        for place, row in enumerate(rows):
            kind = _kind(row.reference, row.hypothesis)
            axes.barh(place, row.count, color=KINDS[kind][0], height=0.7, label=kind)
            axes.annotate(f"{row.count:,}", (row.count, place), (4, 0), textcoords="offset points", va="center", size=9)
        labels = [KINDS[_kind(*row[:2])][1].format(*row[:2]) for row in rows]
        axes.set_yticks(range(len(rows)), labels)
        axes.invert_yaxis()
        axes.margins(x=0.08, y=0.02)
        axes.set_title(f"Most frequent word errors ({len(rows)} of {len(table):,} kinds; reference → recognised)")
        axes.set_xlabel(f"times in the test set (all errors: {table['count'].sum():,})")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(handles.values(), handles.keys(), loc="lower right")
        save(drawing, figure)


def _kind(reference: str, hypothesis: str) -> str:
    if GAP not in (reference, hypothesis):
        return "substituted"
    return "deleted" if hypothesis == GAP else "inserted"
