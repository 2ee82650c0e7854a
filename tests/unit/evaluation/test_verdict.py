from pathlib import Path

import pytest

from unscribed.artifacts import read_json, write_json
from unscribed.evaluation.verdict import (
    ADVICE,
    DOUBTFUL,
    FIGURES,
    LEARNED,
    NOT_LEARNED,
    judge,
    verdict,
    verdict_metrics,
)
from unscribed.wfst.tuning import TuningTable


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The verdict on trials of three weights, of which the middle one was chosen."""
    rows = [(7.0, 0.0, 8.0, 0.5, 0.5, False), (10.0, 0.0, 6.0, 0.04, 0.04, True), (28.0, 0.0, 5.0, 0.1, 0.1, False)]
    TuningTable.from_rows(rows).write(tmp_path / "tuning.parquet")
    write_json(tmp_path / "4gram.json", {"perplexity": 4.0})
    path = tmp_path / "verdict.json"
    verdict(tuning=tmp_path / "tuning.parquet", text_report=tmp_path / "4gram.json", verdict=path)
    return path


def test_figures_by_hand(made: Path) -> None:
    """Perplexity 8 at the smallest weight, 5 at the largest, 4 of the text."""
    found = read_json(made)
    assert {name: figure["value"] for name, figure in found["figures"].items()} == pytest.approx(
        {"edits": 0.04, "fluency": 2.0, "pull": 1.6}
    )
    assert found["verdict"] == NOT_LEARNED and found["advice"] == ADVICE[NOT_LEARNED]
    assert verdict_metrics(made) == pytest.approx(
        {"verdict.score": 0.0, "verdict.edits": 0.04, "verdict.fluency": 2.0, "verdict.pull": 1.6}
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("good good good", LEARNED),
        ("good good between", DOUBTFUL),
        ("good good bad", DOUBTFUL),
        ("between between between", DOUBTFUL),
        ("between between bad", DOUBTFUL),
        ("bad good bad", NOT_LEARNED),
        ("bad bad bad", NOT_LEARNED),
    ],
)
def test_all_figures_must_agree_that_it_has_learned(said: str, expected: str) -> None:
    values = {}
    for (name, figure), word in zip(FIGURES.items(), said.split(), strict=True):
        values[name] = {"good": figure.good, "bad": figure.bad, "between": (figure.good + figure.bad) / 2}[word]
    assert judge(values) == expected


def test_models_that_hear_nothing_alike_have_not_learned() -> None:
    """However fluent the words are: few sentences are soon known by heart."""
    assert judge({"edits": FIGURES["edits"].hopeless, "fluency": 1.0, "pull": 1.0}) == NOT_LEARNED
    assert judge({"edits": 0.9 * FIGURES["edits"].hopeless, "fluency": 1.0, "pull": 1.0}) == DOUBTFUL
