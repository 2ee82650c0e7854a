"""Inputs of the report's figures: a finished run with the files of its evaluation."""

import pytest

from helpers.choice import LABELS, candidates, curve, write_curves
from helpers.finished_run import Run
from unscribed.artifacts import write_json
from unscribed.evaluation import tables
from unscribed.evaluation.select import ScoredTable
from unscribed.selection.select import CandidateTable
from unscribed.ssl.codebook import CodebookTable
from unscribed.ssl.pretrain import write_curves as write_pretrain_curves

PAIRS = {"u1": [("a", "a"), ("b", "b"), ("c", "d")], "u2": [("tʃ", "tʃ"), ("n̩", ""), ("", "a")]}


@pytest.fixture
def evaluated(finished: Run) -> Run:
    """The finished run with a GAN, a pretraining in two languages, and the tables and numbers of the evaluation."""
    history = [(0, 1, True, 2.0, 1.0), (0, 2, True, 1.0, 0.4), (1, 1, False, 1.2, 0.2), (1, 2, False, 2.5, 1.0)]
    finished.table("evaluate/rounds.parquet", history, tables.RoundTable)
    answers = [("segments", tables.ORACLE, 0, 2.0, None, 0.2), ("segments", tables.DRAWN, 0, 3.0, None, 1.0)]
    finished.table("evaluate/diagnose.parquet", answers, tables.AnswerTable)
    tables.write_confusions(finished.path("evaluate/hmm_confusions.parquet"), PAIRS)
    tables.write_word_errors(finished.path("evaluate/word_errors.parquet"), PAIRS)
    chosen = candidates(LABELS[0])
    finished.table("select/candidates.parquet", chosen, CandidateTable)
    finished.table("evaluate/candidates.parquet", [(*row, 0.3) for row in chosen], ScoredTable)
    write_curves(finished, "gan/job0/curves.parquet", curve(0, [30, 20, 10, 8]))
    metrics = {"seconds.match": 30.5, "memory_mb.match": 300, "test.per": 0.4, "test.per.hmm.step1": 0.2}
    write_json(finished.root / "metrics.json", metrics)
    figures = {"edits": {"value": 0.03, "good": 0.06, "bad": 0.2, "meaning": "edits per phone"}}
    write_json(finished.root / "verdict.json", {"verdict": "learned", "figures": figures, "advice": "Use it."})
    _pretraining(finished)
    return finished


def _pretraining(run: Run) -> None:
    names = ("contrastive", "valid_contrastive", "accuracy", "valid_accuracy")
    checks = [(10, [8.0, 6.0], 0.5), (20, [9.0, 7.0], 0.25)]
    curves = [
        {"update": update, "status": "ok", "valid_perplexities": perplexities} | dict.fromkeys(names, value)
        for update, perplexities, value in checks
    ]
    write_pretrain_curves(run.path("pretrain/curves.parquet"), curves)
    rows = [(language, part, 0, code, 10 + code) for language in "xy" for part in range(3) for code in range(4)]
    run.table("pretrain/codebook.parquet", rows, CodebookTable)
