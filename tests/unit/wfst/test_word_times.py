import numpy as np
import pytest

from unscribed.wfst.nbest import Hypothesis
from unscribed.wfst.word_times import confidences, word_spans

LEXICON = {"ab": [("a", "b")], "abc": [("a", "b", "c")], "ba": [("b", "a"), ("b", "c", "a")], "ca": [("c", "a")]}


def test_word_spans() -> None:
    """The phones of ab ca begin like abc: the spans must use all phones; silences belong to no word."""
    phones = ["<SIL>", "a", "b", "<SIL>", "c", "a", "b", "c", "a", "<SIL>"]
    assert word_spans(["ab", "ca", "ba"], phones, LEXICON) == [(1, 3), (4, 6), (6, 9)]
    assert word_spans(["ab", "ca"], list("abca"), LEXICON) == [(0, 2), (2, 4)]
    assert word_spans([], ["<SIL>"], LEXICON) == []
    with pytest.raises(ValueError, match="a b a is no pronunciation of ab"):
        word_spans(["ab"], list("aba"), LEXICON)


def test_confidences_by_hand() -> None:
    """Probabilities 0.5, 0.3, 0.2: the second list lacks a word, the third has another one in the middle."""
    scores = np.log([0.5, 0.3, 0.2]) - 1000
    found = [Hypothesis(words, score) for words, score in zip([(1, 2, 3), (1, 2), (1, 4, 3)], scores, strict=True)]
    assert confidences([1, 2, 3], found) == pytest.approx([1.0, 0.8, 0.7])
    assert confidences([], [Hypothesis((), 0.0)]) == []
