"""The tables that `evaluate` writes beside metrics.json: what was confused, what was heard, how the rounds went."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from unscribed.artifacts import Pathlike, write_table
from unscribed.evaluation.per import GAP, Alignment, clean_hypothesis, confusion_counts, count_errors

CONFUSIONS = [("reference", pa.string()), ("hypothesis", pa.string()), ("count", pa.int64())]
UTTERANCES = [
    ("utterance", pa.string()),
    ("reference", pa.string()),
    ("hypothesis", pa.string()),
    ("errors", pa.int64()),
    ("reference_length", pa.int64()),
]
ROUNDS = [
    ("seed", pa.int64()),
    ("round", pa.int64()),
    ("selected", pa.bool_()),
    ("loss", pa.float64()),
    ("per", pa.float64()),
]


def write_confusions(path: Pathlike, alignments: Mapping[str, Alignment]) -> None:
    """One row per aligned pair of phones with its count, right pairs included; "" for an insertion or deletion."""
    counts = sorted(confusion_counts(alignments.values()).items())
    rows = [(reference, hypothesis, count) for (reference, hypothesis), count in counts]
    _write_rows(path, rows, CONFUSIONS)


def write_utterances(
    path: Pathlike, alignments: Mapping[str, Alignment], hypotheses: Mapping[str, Sequence[str]]
) -> None:
    """One row per utterance decoded or scored, phones joined by spaces; nulls where there is no reference."""
    rows: list[tuple] = []
    for utterance in [*hypotheses, *(name for name in alignments if name not in hypotheses)]:
        hypothesis = " ".join(clean_hypothesis(hypotheses.get(utterance, [])))
        if utterance in alignments:
            errors = count_errors(alignments[utterance])
            reference = " ".join(left for left, _ in alignments[utterance] if left != GAP)
            rows.append((utterance, reference, hypothesis, errors.total, errors.reference_length))
        else:
            rows.append((utterance, None, hypothesis, None, None))
    _write_rows(path, rows, UTTERANCES)


def write_rounds(path: Pathlike, history: pd.DataFrame) -> None:
    """One row per seed and round of the matching: loss, and PER of the split test (null where unknown)."""
    write_table(path, {name: history[name] for name, _ in ROUNDS}, ROUNDS)


def _write_rows(path: Pathlike, rows: Sequence[tuple], schema: Sequence[tuple[str, pa.DataType]]) -> None:
    write_table(path, {name: [row[column] for row in rows] for column, (name, _) in enumerate(schema)}, schema)
