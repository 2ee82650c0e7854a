"""Outputs of the evaluation stages: metrics, and tables of confusions, utterances, rounds and answers."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from unscribed.artifacts import Pathlike, write_json
from unscribed.evaluation.per import (
    GAP,
    Alignment,
    Kept,
    clean_hypothesis,
    confusion_counts,
    count_errors,
    kept_hypothesis,
)
from unscribed.tables import FLAG, REAL, TEXT, WHOLE, Table

# Answers of the stage diagnose.
ORACLE, FROM_ORACLE, DRAWN, FOUND = "oracle map", "matching from the oracle map", "drawn by lot", "matching"


class ConfusionTable(Table):
    """Counts of aligned pairs of symbols; an insertion has "" as reference, a deletion "" as hypothesis."""

    SCHEMA: ClassVar = {"reference": TEXT, "hypothesis": TEXT, "count": WHOLE}


class UtteranceTable(Table):
    """Reference and hypothesis of each utterance, symbols joined by spaces; null where there is no reference."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "reference": TEXT,
        "hypothesis": TEXT,
        "errors": WHOLE,
        "reference_length": WHOLE,
    }


class RoundTable(Table):
    """Discrepancy from the text and PER of test, null where unknown, of each round; `selected` if its seed is shown."""

    SCHEMA: ClassVar = {"seed": WHOLE, "round": WHOLE, "selected": FLAG, "discrepancy": REAL, "per": REAL}


class AnswerTable(Table):
    """Whose phones of the segments (`answer`) are how far from the text; those drawn by lot are several (`draw`).

    `loss` is the discrepancy of the phones from the text over-segmented as the audio is; `objective` the same of the
    probabilities that a matching ended with, null for other answers; `per` the phone error rate.
    """

    SCHEMA: ClassVar = {
        "segmentation": TEXT,
        "answer": TEXT,
        "draw": WHOLE,
        "loss": REAL,
        "objective": REAL,
        "per": REAL,
    }


def write_metrics(path: Pathlike, values: Mapping[str, float]) -> None:
    """Write metrics as flat JSON; NaN means unknown and is left out."""
    write_json(path, {key: value for key, value in values.items() if not math.isnan(value)})


def error_shares(name: str, alignments: Mapping[str, Alignment]) -> dict[str, float]:
    """Compute substitutions, insertions and deletions per reference symbol: `<name>.sub`, `.ins` and `.del`."""
    errors = count_errors([pair for alignment in alignments.values() for pair in alignment])
    length = max(errors.reference_length, 1)
    return {
        f"{name}.sub": errors.substitutions / length,
        f"{name}.ins": errors.insertions / length,
        f"{name}.del": errors.deletions / length,
    }


def write_confusions(path: Pathlike, alignments: Mapping[str, Alignment]) -> None:
    """Write one row per aligned pair of phones with its count, correct ones included; "" for the missing phone."""
    counts = sorted(confusion_counts(alignments.values()).items())
    ConfusionTable.from_rows((*pair, count) for pair, count in counts).write(path)


def write_utterances(
    path: Pathlike,
    alignments: Mapping[str, Alignment],
    hypotheses: Mapping[str, Sequence[str]],
    kept: Kept = kept_hypothesis,
) -> None:
    """Write one row per utterance decoded or scored, symbols joined by spaces; nulls where there is no reference.

    `kept` gives the positions of a hypothesis that count.
    """
    rows: list[tuple] = []
    for utterance in [*hypotheses, *(name for name in alignments if name not in hypotheses)]:
        hypothesis = " ".join(clean_hypothesis(hypotheses.get(utterance, []), kept))
        if utterance in alignments:
            errors = count_errors(alignments[utterance])
            reference = " ".join(left for left, _ in alignments[utterance] if left != GAP)
            rows.append((utterance, reference, hypothesis, errors.total, errors.reference_length))
        else:
            rows.append((utterance, None, hypothesis, None, None))
    UtteranceTable.from_rows(rows).write(path)


def write_word_errors(path: Pathlike, alignments: Mapping[str, Alignment]) -> None:
    """Write one row per wrong pair of words with its count, most frequent first; "" for the missing word."""
    counts = confusion_counts(alignments.values())
    rows = [(*pair, count) for pair, count in counts.items() if pair[0] != pair[1]]
    ConfusionTable.from_rows(sorted(rows, key=lambda row: (-row[2], row))).write(path)
