"""What the figures of the report are drawn from: a finished run with all that its evaluation writes."""

import pandas as pd
import pytest

from helpers.choice import LABELS, candidates, curve, write_curves
from helpers.finished_run import Run
from unscribed.artifacts import write_json
from unscribed.evaluation import tables
from unscribed.evaluation.select import SCORED_SCHEMA
from unscribed.ssl.codebook import CODEBOOK_SCHEMA

PAIRS = {"u1": [("a", "a"), ("b", "b"), ("c", "d")], "u2": [("tʃ", "tʃ"), ("n̩", ""), ("", "a")]}


@pytest.fixture
def evaluated(finished: Run) -> Run:
    """The finished run with a GAN, a pretraining in two languages, and the tables and numbers of the evaluation."""
    history = [(0, 1, True, 2.0, 1.0), (0, 2, True, 1.0, 0.4), (1, 1, False, 1.2, 0.2), (1, 2, False, 2.5, 1.0)]
    columns = [name for name, _ in tables.ROUNDS]
    tables.write_rounds(finished.path("evaluate/rounds.parquet"), pd.DataFrame(history, columns=columns))
    tables.write_confusions(finished.path("evaluate/hmm_confusions.parquet"), PAIRS)
    tables.write_word_errors(finished.path("evaluate/word_errors.parquet"), PAIRS)
    chosen = candidates(LABELS[0])
    finished.table("select/candidates.parquet", chosen, finished.candidates_schema)
    finished.table("evaluate/candidates.parquet", [(*row, 0.3) for row in chosen], SCORED_SCHEMA)
    write_curves(finished, "gan/job0/curves.parquet", curve(0, [30, 20, 10, 8]))
    metrics = {"seconds.match": 30.5, "memory_mb.match": 300, "test.per": 0.4, "test.per.hmm.step1": 0.2}
    write_json(finished.root / "metrics.json", metrics)
    _pretraining(finished)
    return finished


def _pretraining(run: Run) -> None:
    (run.root / "pretrain").mkdir()
    names = ("contrastive", "valid_contrastive", "accuracy", "valid_accuracy")
    curves = {"update": [10, 20], "status": ["ok", "ok"], "valid_perplexities": [[8.0, 6.0], [9.0, 7.0]]}
    pd.DataFrame(curves | {name: [0.5, 0.25] for name in names}).to_parquet(run.path("pretrain/curves.parquet"))
    rows = [(language, part, 0, code, 10 + code) for language in "xy" for part in range(3) for code in range(4)]
    run.table("pretrain/codebook.parquet", rows, CODEBOOK_SCHEMA)
