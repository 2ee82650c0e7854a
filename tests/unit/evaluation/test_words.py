from typing import Any

import pytest
from helpers.settings import EVALUATE

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.evaluation.tables import ConfusionTable, UtteranceTable
from unscribed.evaluation.words import evaluate_words
from unscribed.tables import ReferenceTable, WordTable

# The references are "a b c" and "button"; times: a 0.1, b 0.3, c 0.5; n̩ 0, tʃ 1.2 s
TEST = [
    (
        *("u1", ["a", "b", "d"], [0, 20, 40], [20, 20, 20], [1.0, 1.0, 0.5]),
        *(["a", "b", "<SIL>", "b"], [0, 20, 35, 41], 60, ["a b d", "a b c"], [-1.0, -2.0], "ok"),
    ),
    ("u2", [], [], [], [], [], [], 100, [], [], "no_path"),
]


@pytest.fixture
def decoded(finished: Any) -> Any:
    finished.table("words/test.parquet", TEST, WordTable)
    row = ("v1", ["a"], [0], [10], [1.0], ["a"], [0], 10, ["a"], [-1.0], "ok")
    finished.table("words/valid.parquet", [row], WordTable)
    write_lines(finished.root / "lexicon.txt", ["a a", "b b", "d d"])
    return finished


def run_evaluate_words(run: Any, **changes: Any) -> dict[str, float]:
    arguments = {
        "words": run.paths("words/*.parquet"),
        "references": run.paths("references/*.parquet"),
        "manifests": [run.path("manifest/test.parquet"), run.path("manifest/valid.parquet")],
        "vad": run.path("vad/test.parquet"),
        "lexicon": run.path("lexicon.txt"),
        "sentences": run.path("sentences.parquet"),
        "metrics": run.path("evaluate/words.json"),
        "word_errors": run.path("evaluate/word_errors.parquet"),
        "utterances": run.path("evaluate/word_utterances.parquet"),
        "settings": EVALUATE,
        "language": "en-us",
        "hop_ms": 10.0,
        "sample_rate_hz": 16000,
    }
    evaluate_words(**(arguments | changes))
    return read_json(arguments["metrics"])


def test_every_number_by_hand(decoded: Any) -> None:
    assert run_evaluate_words(decoded) == pytest.approx(
        {
            "test.wer": 0.5,  # c -> d, and button missed: 2 of 4
            "test.wer.sub": 0.25,
            "test.wer.ins": 0,
            "test.wer.del": 0.25,
            "test.ser": 1,
            "test.wer.oracle_nbest": 0.25,
            "test.words.oov_rate": 0.5,  # c, button
            "test.words.reference_words": 4,
            "test.words.seen": 0,
            "test.words.nearly_seen": 0,
            "test.words.no_path": 1,
            "test.words.per": 3 / 5,  # c -> b, and both of u2 missed
            # at 0.3 and 0.51 s; reference 0.3, 0.5 and 1.2 s
            "test.words.boundary_f1": 4 / 5,
            "valid.wer": 0,
            "valid.wer.sub": 0,
            "valid.wer.ins": 0,
            "valid.wer.del": 0,
            "valid.ser": 0,
            "valid.wer.oracle_nbest": 0,
            "valid.words.oov_rate": 0,
            "valid.words.reference_words": 1,
            "valid.words.no_path": 0,
            "valid.words.per": 0,
        }
    )
    errors = ConfusionTable.read(decoded.path("evaluate/word_errors.parquet")).values.tolist()
    assert errors == [["button", "", 1], ["c", "d", 1]]
    utterances = UtteranceTable.read(decoded.path("evaluate/word_utterances.parquet")).values.tolist()
    assert utterances == [["u1", "a b c", "a b d", 1, 3], ["u2", "button", "", 1, 1]]


def test_without_transcripts(decoded: Any) -> None:
    assert run_evaluate_words(decoded, references=[]) == {"test.words.no_path": 1, "valid.words.no_path": 0}
    assert not len(ConfusionTable.read(decoded.path("evaluate/word_errors.parquet")))
    utterances = UtteranceTable.read(decoded.path("evaluate/word_utterances.parquet"))
    assert utterances["hypothesis"].tolist() == ["a b d", ""] and utterances["reference"].isna().all()


def test_words_without_phones_or_times(decoded: Any) -> None:
    rows = [("u1", "A, b: c?", [], [], float("nan"))]
    decoded.table("references/test.parquet", rows, ReferenceTable)
    metrics = run_evaluate_words(decoded)
    assert metrics["test.wer"] == pytest.approx(1 / 3)
    assert "test.words.per" not in metrics and "test.words.boundary_f1" not in metrics


def test_another_table_is_refused(decoded: Any) -> None:
    with pytest.raises(UserError, match=r"decode/test\.parquet has no column words: it is not a WordTable"):
        run_evaluate_words(decoded, words=[decoded.path("decode/test.parquet")])
