import numpy as np
import pytest

from unscribed.matching.statistics import Statistics, count, discrepancy, flatten, oversegment


def _language(sequences: int, length: int, size: int = 5) -> np.ndarray:
    """Sequences of a random Markov chain that never repeats a symbol, (sequences, length)."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.full(size, 0.4), size) + 0.05
    np.fill_diagonal(chances, 0)
    limits = (chances / chances.sum(axis=1, keepdims=True)).cumsum(axis=1)
    found = np.zeros((sequences, length), dtype=np.int64)
    for place in range(1, length):
        found[:, place] = (rng.random((sequences, 1)) > limits[found[:, place - 1]]).sum(axis=1).clip(max=size - 1)
    return found


def _repeated(symbols: np.ndarray, stay: float, rng: np.random.Generator) -> np.ndarray:
    return np.repeat(symbols, rng.geometric(1 - stay, len(symbols)))


def test_hand_worked_counts() -> None:
    found = count(*flatten([np.array([0, 1, 0, 2]), np.array([1]), np.array([0, 1])]), 3, 3, 3)
    np.testing.assert_allclose(found.unigram, [3 / 7, 3 / 7, 1 / 7], rtol=1e-6)
    # One apart: 01 10 02 | 01; two apart: 00 12; three apart: 02. None of them leaves its sequence.
    np.testing.assert_allclose(found.skips[0], [[0, 0.5, 0.25], [0.25, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(found.skips[1], [[0.5, 0, 0], [0, 0, 0.5], [0, 0, 0]])
    np.testing.assert_allclose(found.skips[2], [[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    # From the start: {0, 1, 0}, {1, 1}, {0}; from the end: {2, 1, 1}, {0, 0}, {1}.
    np.testing.assert_allclose(found.positions[0], [[2 / 3, 1 / 3, 0], [0, 1, 0], [1, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(found.positions[1], [[0, 2 / 3, 1 / 3], [1, 0, 0], [0, 1, 0]], rtol=1e-6)
    assert found.symbols == 3 and found.skips.dtype == found.positions.dtype == np.float32


def test_pairs_never_span_sequences() -> None:
    """Zeros and ones in sequences of their own: no order of skip-gram sees both, however the sequences are ordered."""
    rng = np.random.default_rng(1)
    sequences = [np.full(length, length % 2) for length in rng.integers(1, 9, size=200)]
    found = count(*flatten(sequences), 2, 8, 2)
    assert not found.skips[:, 0, 1].any() and not found.skips[:, 1, 0].any()
    np.testing.assert_allclose(found.skips[:6].sum(axis=(1, 2)), 1, rtol=1e-5)


def test_orders_longer_than_every_sequence_are_zero() -> None:
    found = count(*flatten([np.array([0, 1]), np.array([], dtype=np.int64)]), 2, 4, 3)
    assert found.skips[0].sum() == 1 and not found.skips[1:].any()
    assert found.positions[:, :2].sum() == 4 and not found.positions[:, 2].any()
    empty = count(*flatten([]), 2, 2, 2)
    assert not empty.unigram.any() and not empty.skips.any() and not empty.positions.any()


@pytest.mark.parametrize("stay", [0.2, 0.5])
def test_oversegmented_skips_agree_with_sampling(stay: float) -> None:
    text = _language(4000, 50).reshape(-1)
    expected = oversegment(count(text, np.array([0, len(text)]), 5, 4, 1), stay)
    audio = _repeated(text, stay, np.random.default_rng(2))
    found = count(audio, np.array([0, len(audio)]), 5, 4, 1)
    assert np.abs(found.skips - expected.skips).sum(axis=(1, 2)).max() < 0.02
    assert np.abs(found.unigram - expected.unigram).sum() < 0.01
    other = oversegment(count(text, np.array([0, len(text)]), 5, 4, 1), stay - 0.1)
    assert np.abs(found.skips - other.skips).sum(axis=(1, 2))[:2].min() > 0.05


@pytest.mark.parametrize("end", [0, 1])
def test_oversegmented_positions_agree_with_sampling(end: int) -> None:
    """At the first (0) and at the last (1) positions; the language is distinctive at its starts, so it is turned."""
    text, rng = list(_language(4000, 15)[:, :: 1 - 2 * end]), np.random.default_rng(3)
    expected = oversegment(count(*flatten(text), 5, 3, 4), 0.3)
    found = count(*flatten([_repeated(symbols, 0.3, rng) for symbols in text]), 5, 3, 4)
    assert np.abs(found.positions - expected.positions).sum(axis=2).max() < 0.06
    plain = count(*flatten(text), 5, 3, 4)
    assert np.abs(found.positions - plain.positions).sum(axis=2)[end, 1:].min() > 0.1


def test_oversegment_by_hand_and_identity() -> None:
    text = count(*flatten([np.array([0, 1, 2, 1])]), 3, 2, 2)
    same = oversegment(text, 0.0)
    np.testing.assert_array_equal(same.skips, text.skips)
    np.testing.assert_array_equal(same.positions, text.positions)
    cut = oversegment(text, 0.5)
    np.testing.assert_allclose(cut.skips[0], 0.5 * np.diag(text.unigram) + 0.5 * text.skips[0])
    np.testing.assert_allclose(cut.skips[1], 0.25 * np.diag(text.unigram) + 0.5 * text.skips[0] + 0.25 * text.skips[1])
    np.testing.assert_allclose(cut.positions[0], [[1, 0, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(cut.positions[1], [[0, 1, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(cut.skips.sum(axis=(1, 2)), 1, rtol=1e-6)


def test_discrepancy() -> None:
    one = count(*flatten([np.array([0, 1, 0])]), 2, 1, 2)
    other = count(*flatten([np.array([1, 0, 1])]), 2, 1, 2)
    assert discrepancy(one, one) == 0
    # Skip-grams are the same {01, 10}; every one of the four positions is wholly off (L1 = 2).
    assert discrepancy(one, other) == discrepancy(other, one) == 2
    apart = Statistics(one.unigram, one.skips[:, ::-1], one.positions)
    assert discrepancy(one, apart) == 2
