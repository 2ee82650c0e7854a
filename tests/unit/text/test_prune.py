import math

import pytest

from unscribed.text.arpa import END, START, Arpa
from unscribed.text.prune import prune_rare

# Unigrams a 0.4, b 0.2, c 0.2, </s> 0.2. After a: b 0.5, c 0.3; the rest of 0.2 backs off to a and </s> (0.6).
UNIGRAMS = {"a": 0.4, "b": 0.2, "c": 0.2, END: 0.2}
BIGRAMS = {("a", "b"): 0.5, ("a", "c"): 0.3, (START, "a"): 0.9}
TRIGRAMS = {("a", "b", "a"): 0.7, (START, "a", "b"): 0.8, (START, "a", "c"): 0.1}
PROBABILITIES = {**{(token,): value for token, value in UNIGRAMS.items()}, **BIGRAMS, **TRIGRAMS}
BACKOFFS = {(START,): 0.1 / 0.6, ("a",): 0.2 / 0.6, ("a", "b"): 0.3 / 0.6, (START, "a"): 0.1 / 0.2}
TEXT = ["a b", "a b", "a b a", "a c"]


def logs(values):
    return {ngram: math.log(value) for ngram, value in values.items()}


def test_dropped_mass_goes_to_the_back_off(tmp_path):
    log_probs = {**logs(PROBABILITIES), (START,): -99 * math.log(10)}
    model = Arpa(3, (5, 3, 3), log_probs, logs(BACKOFFS))
    pruned = prune_rare(model, TEXT, [1, 2, 2])
    pruned.write(tmp_path / "pruned.arpa")
    pruned = Arpa.read(tmp_path / "pruned.arpa")
    assert pruned.counts == (5, 2, 1)  # left: a b, <s> a, <s> a b
    weights = {history: math.exp(value) for history, value in pruned.backoffs.items()}
    expected = {
        (START,): 0.1 / 0.6,  # as it was
        ("a",): (1 - 0.5) / (1 - 0.2),
        ("a", "b"): 1.0,  # nothing is left after it
        (START, "a"): (1 - 0.8) / (1 - 0.5),
    }
    assert weights == pytest.approx(expected, rel=1e-5)
    for history in ((START,), ("a",), ("b",), ("a", "b"), (START, "a"), ("c", "a")):
        assert sum(math.exp(pruned.log_prob(history, token)) for token in UNIGRAMS) == pytest.approx(1, abs=1e-5)


def test_nothing_is_rare():
    model = Arpa(3, (5, 3, 3), {**logs(PROBABILITIES), (START,): -200.0}, logs(BACKOFFS))
    assert prune_rare(model, TEXT, [1, 1, 1]) == model
