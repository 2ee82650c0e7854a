import numpy as np
import pandas as pd

from unscribed.report.utterances import RIGHT, SHOWN, UNKNOWN, WRONG, SpokenWord, marked, spread


def test_wrong_words_on_both_sides() -> None:
    states, spoken = marked(["a", "x", "c"], ["a", "b", "c", "d"])
    assert states == [RIGHT, WRONG, RIGHT]
    assert spoken == [SpokenWord("a", RIGHT), SpokenWord("b", WRONG), SpokenWord("c", RIGHT), SpokenWord("d", WRONG)]
    assert marked(["a"], None) == ([UNKNOWN], [])


def test_from_the_best_to_the_worst() -> None:
    count = 3 * SHOWN
    names = [f"u{number}" for number in range(count)]
    decoded = pd.DataFrame({"word_confidences": [np.array([0.5])] * count}, index=names)
    errors = pd.Series(np.random.default_rng(0).permutation(count), index=names)
    known = pd.DataFrame({"errors": errors, "reference_length": 100}, index=names)
    rates = [int(errors[name]) for name in spread(decoded, known)]
    assert len(rates) == SHOWN and rates == sorted(rates) and rates[0] == 0 and rates[-1] == count - 1


def test_without_transcripts_the_surest_come_first() -> None:
    sure = [np.array([0.2]), np.array([]), np.array([0.9, 0.7])]
    decoded = pd.DataFrame({"word_confidences": sure}, index=["a", "b", "c"])
    known = pd.DataFrame({"errors": [None] * 3, "reference_length": [None] * 3}, index=["a", "b", "c"], dtype="float64")
    assert spread(decoded, known) == ["c", "a", "b"]
