import logging
from typing import Any

import numpy as np
import pytest

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.evaluation.per import count_errors
from unscribed.evaluation.wer import (
    align_words,
    oracle_rate,
    out_of_vocabulary_rate,
    read_word_references,
    sentence_error_rate,
)
from unscribed.tables import ReferenceTable

SPOKEN = {"u1": ["the", "sea", "the", "sun", "is", "warm"], "u2": ["a", "a"], "lost": ["gone"]}
HEARD = {"u1": ["the", "see", "the", "is", "warm", "too"], "u2": ["a", "a"], "unknown": ["x"]}


def test_alignments_by_hand() -> None:
    alignments = align_words(SPOKEN, HEARD)
    assert list(alignments) == ["u1", "u2", "lost"]
    errors = [count_errors(alignment) for alignment in alignments.values()]
    # sea -> see, sun deleted, too inserted; equal neighbours stay two words; nothing was decoded for "lost"
    assert [(e.substitutions, e.insertions, e.deletions, e.reference_length) for e in errors] == [
        (1, 1, 1, 6),
        (0, 0, 0, 2),
        (0, 0, 1, 1),
    ]
    assert alignments["u1"] == [
        *(("the", "the"), ("sea", "see"), ("the", "the"), ("sun", ""), ("is", "is"), ("warm", "warm"), ("", "too"))
    ]
    assert sentence_error_rate(alignments) == pytest.approx(2 / 3)
    assert align_words({}, HEARD) == {} and np.isnan(sentence_error_rate({}))


def test_oracle_takes_the_best_of_each_list() -> None:
    nbest = {"u1": ["the see the is warm too", "the sea the is warm", ""], "u2": ["a"], "lost": []}
    # u1: one deletion at best; u2: one; lost: one; of 9 words
    assert oracle_rate(SPOKEN, nbest) == pytest.approx(3 / 9)
    assert np.isnan(oracle_rate({}, nbest))


def test_words_that_the_lexicon_lacks(tmp_path: Any) -> None:
    write_lines(tmp_path / "lexicon.txt", ["the 1.0 ð ə", "the 0.5 ð iː", "a ə", "sun s ʌ n", "", "Ω"])
    assert out_of_vocabulary_rate(SPOKEN, tmp_path / "lexicon.txt") == pytest.approx(4 / 9)  # sea, is, warm, gone


def test_references_are_spelt_like_the_text(finished: Any, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        ("u1", "“Ça va”, dit-il – L\u2019été\u0301!", [], [], np.nan),
        ("u2", "page 3", [], [], np.nan),
        ("other", "x", [], [], np.nan),
    ]
    path = finished.table("references/test.parquet", rows, ReferenceTable)
    manifest = finished.path("manifest/test.parquet")
    with caplog.at_level(logging.WARNING):
        references = read_word_references(path, manifest, "fr-fr")
    assert references["u2"] == ["page"] and "1 transcripts have digits" in caplog.text
    assert references["u1"][:4] == ["ça", "va", "dit", "il"] and references["u1"][4].startswith("l'ét")
    assert read_word_references(path, manifest, "tr")["u1"][0] == "ça"
    finished.table("references/test.parquet", [("u1", "—", [], [], np.nan)], ReferenceTable)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert read_word_references(path, manifest, "fr-fr") == {}
    assert "2 of 2 utterances have no reference words" in caplog.text
    finished.table("references/test.parquet", [("z", "a", [], [], np.nan)], ReferenceTable)
    with pytest.raises(UserError, match=r"none of its 1 utterances is in .*same files"):
        read_word_references(path, manifest, "fr-fr")
