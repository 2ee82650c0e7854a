import logging
import math

import kaldialign
import numpy as np
import pytest

from unscribed.evaluation import per


def test_hypotheses_lose_repeats_then_silence_references_only_silence() -> None:
    phones = ["<SIL>", "a", "a", "<SIL>", "<SIL>", "a", "b", "b", "<SIL>"]
    assert per.clean_hypothesis(phones) == ["a", "a", "b"]  # a pause parts two phones
    assert per.kept_hypothesis(phones) == [1, 5, 6]
    assert per.clean_reference(phones) == ["a", "a", "a", "b", "b"]
    assert per.clean_hypothesis(["a", "a"]) == ["a"] and per.clean_hypothesis(["<SIL>"]) == []


def test_counts_by_hand() -> None:
    # s -> z, t deleted, ə inserted at the end
    alignment = per.align(["s", "t", "ɑː", "p"], ["z", "ɑː", "p", "ə"])
    errors = per.count_errors(alignment)
    assert (errors.substitutions, errors.insertions, errors.deletions, errors.reference_length) == (1, 1, 1, 4)
    assert errors.rate == 0.75
    counts = per.confusion_counts([alignment, alignment])
    assert counts["ɑː", "ɑː"] == 2 and counts["", "ə"] == 2
    assert sum(count for (reference, _), count in counts.items() if reference) == 8


def test_rate_pools_utterances_and_counts_undecoded_ones_as_deleted() -> None:
    references = {"u1": ["a", "b", "<SIL>", "b"], "u2": ["c"]}
    assert per.phone_error_rate(references, {"u1": ["a", "b", "b"], "extra": ["x"]}) == 2 / 4
    assert math.isnan(per.phone_error_rate({}, {}))


def test_alignment_is_a_cheapest_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        left, right = (list(rng.choice(list("abcd"), rng.integers(0, 12))) for _ in range(2))
        alignment = per.align(left, right)
        assert [a for a, _ in alignment if a] == left and [b for _, b in alignment if b] == right
        assert per.count_errors(alignment).total == kaldialign.edit_distance(left, right)["total"]


def test_random_mapping_is_seeded_and_near_chance() -> None:
    rng = np.random.default_rng(1)
    inventory = ["<SIL>", *"abcdefghijklmnopqrst"]
    references = {str(i): list(rng.choice(inventory[1:], 30)) for i in range(20)}
    assert per.phone_error_rate(references, references) < 0.06  # only the repeats that the hypotheses lose
    rate = per.random_mapping_rate(references, references, inventory)
    assert 0.8 < rate < 1
    assert rate == per.random_mapping_rate(references, references, inventory)


def test_reference_phones_outside_the_inventory_are_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        unknown = per.unknown_phones({"u": ["a", "x", "x", "y", "<SIL>"]}, ["<SIL>", "a"])
    assert unknown == {"x": 2, "y": 1}
    assert "3 reference phones (x: 2, y: 1) are not in the text's inventory" in caplog.text
    assert per.phone_error_rate({"u": ["a", "x"]}, {"u": ["a"]}) == 0.5


def test_an_unrelated_sentence_of_equal_length_by_hand() -> None:
    """In the order of lengths c, a, b: c gets what was heard in a, a what was in b, and b what was in c."""
    heard = {"a": list("xyz"), "b": list("xyzw"), "c": list("xy")}
    assert per.unrelated_rate({"a": list("xyz"), "b": list("pqrs"), "c": list("xyz")}, heard) == (1 + 4 + 0) / 10


def test_the_cheapest_constant_by_hand() -> None:
    """Once `a`: 2 of 3 and 1 of 3 phones are left; `b` once: 2 and 2; `a` twice: 1 and 2."""
    assert per.constant_rate({"one": list("aab"), "two": list("abc")}) == 3 / 6
    assert per.constant_rate({"one": list("abc")}) == 2 / 3
    assert np.isnan(per.constant_rate({}))
