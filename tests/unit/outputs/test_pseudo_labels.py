import logging
from pathlib import Path
from typing import Any

import pytest

from unscribed.artifacts import read_json, write_json
from unscribed.errors import UserError
from unscribed.outputs.pseudo_labels import pseudo_labels, vocabulary
from unscribed.tables import PseudoLabelTable


def test_rows_and_vocabulary_by_hand(
    decoded: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels, vocab = tmp_path / "labels/train.parquet", tmp_path / "labels/vocab.json"
    with caplog.at_level(logging.INFO):
        pseudo_labels(**decoded, labels=labels)
        vocabulary(labels=labels, vocab=vocab)
    assert "2 utterances with pseudo-labels, mean confidence 0.812" in caplog.text
    assert "left out: 1 without a path, 1 without words" in caplog.text
    table = PseudoLabelTable.by_utterance(labels)
    assert table.index.tolist() == ["a", "b/c"]
    row = table.loc["a"]
    assert (row.path, row.words, row.confidence) == ("audio/a.flac", "tea so", 0.625)
    assert row.letters.tolist() == ["t", "e", "a", "|", "s", "o"]
    assert row.phones.tolist() == ["t", "iː", "s", "s"]
    assert (row.starts_samples.tolist(), row.ends_samples.tolist()) == ([1600, 8000], [4800, 9600])
    assert table.loc["b/c"].letters.tolist() == ["o", "'", "é"]
    symbols = ["<pad>", "|", "<unk>", "'", "a", "e", "o", "s", "t", "é"]
    assert read_json(vocab) == {symbol: number for number, symbol in enumerate(symbols)}


def test_bad_tables_are_named(decoded: dict[str, Path], table: Any, tmp_path: Path) -> None:
    labels = tmp_path / "labels.parquet"
    with pytest.raises(UserError, match=r"nowhere\.parquet does not exist"):
        pseudo_labels(**(decoded | {"words": tmp_path / "nowhere.parquet"}), labels=labels)
    with pytest.raises(UserError, match=r"manifest\.parquet has no column words: it is not a WordTable"):
        pseudo_labels(**(decoded | {"words": decoded["manifest"]}), labels=labels)
    with pytest.raises(UserError, match=r"vad\.parquet has no column path: it is not a PseudoLabelTable"):
        vocabulary(labels=decoded["vad"], vocab=tmp_path / "vocab.json")
    table("manifest", [("b/c", "audio/b.flac", 16000, 1, 24000, 1.5, 0.0)])
    with pytest.raises(UserError, match=r"manifest\.parquet lacks 1 utterances, for example a: .*another run"):
        pseudo_labels(**decoded, labels=labels)
    table("words", [("lost", [], [], [], [], [], [], 12, [], [], "no_path")])
    with pytest.raises(UserError, match=r"none of its 1 utterances has words.*wider beam"):
        pseudo_labels(**decoded, labels=labels)
    table("words", [])
    with pytest.raises(UserError, match=r"none of its 0 utterances has words"):
        pseudo_labels(**decoded, labels=labels)
    assert not labels.exists()


@pytest.mark.parametrize(
    ("said", "unlearned", "rows"), [("did not learn", False, 0), ("did not learn", True, 2), ("doubtful", False, 2)]
)
def test_a_run_that_did_not_learn_gives_none(
    decoded: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, said: str, unlearned: bool, rows: int
) -> None:
    write_json(tmp_path / "verdict.json", {"verdict": said})
    labels = tmp_path / "labels.parquet"
    pseudo_labels(**decoded, labels=labels, verdict=tmp_path / "verdict.json", unlearned=unlearned)
    assert len(PseudoLabelTable.read(labels)) == rows
    assert ("`outputs: {unlearned: true}`" in caplog.text) == (rows == 0)
