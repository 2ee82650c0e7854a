import numpy as np
import pytest

from unscribed.evaluation.oracle import UNKNOWN, align_units, best_path, frame_places, majority_map


def test_a_frame_belongs_to_the_phone_that_its_middle_lies_in() -> None:
    starts = np.array([1.0, 2.6, 4.4])  # the middles are 0.5, 1.5, …
    assert frame_places(starts, 6.0, 8).tolist() == [0, 1, 1, 2, 3, 3, 4, 4]
    assert frame_places(starts, np.nan, 8).tolist() == [0, 1, 1, 2, 3, 3, 3, 3]
    assert frame_places(np.array([0.0, 0.2]), np.nan, 2).tolist() == [2, 2]  # the first has no frame


def test_a_unit_becomes_the_phone_of_most_of_its_frames() -> None:
    units = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    phones = np.array([4, 4, 2, 3, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN])
    assert majority_map(units, phones, (4, 5)).tolist() == [4, 3, 0, 0]


def test_best_path_by_hand() -> None:
    likely, unlikely = np.log(0.9), np.log(0.01)
    moves = np.log(np.array([0.3, 0.6, 0.1]))
    fits = np.full((3, 4), unlikely)
    fits[0, 0] = fits[1, 1] = fits[1, 2] = fits[2, 3] = likely
    assert best_path(fits, moves).tolist() == [0, 1, 1, 2]
    # nothing sounds like the second phone: it is left out
    fits[:] = unlikely
    fits[0, :2] = fits[2, 2:] = likely
    assert best_path(fits, moves).tolist() == [0, 0, 2, 2]
    assert best_path(np.zeros((1, 3)), moves).tolist() == [0, 0, 0]
    assert best_path(np.zeros((4, 2)), moves).tolist() in ([0, 2], [1, 2], [1, 3])


def test_phones_without_times_are_aligned_to_the_units() -> None:
    """Every phone has two units of its own and one to four segments; nothing says which."""
    rng = np.random.default_rng(0)
    phones = [rng.permutation(8)[: rng.integers(4, 9)] for _ in range(200)]
    true = [np.repeat(row, rng.integers(1, 5, len(row))) for row in phones]
    units = [2 * row + rng.integers(0, 2, len(row)) for row in true]
    found = align_units(units, phones, (16, 8))
    assert np.mean(np.concatenate(found) == np.concatenate(true)) > 0.99


@pytest.mark.parametrize(("segments", "phones"), [(1, 5), (3, 0), (0, 2), (0, 0), (2, 1)])
def test_utterances_too_short_or_without_known_phones(segments: int, phones: int) -> None:
    units = [np.zeros(segments, dtype=np.int64)]
    found = align_units(units, [np.full(phones, 1)], (2, 3))
    assert found[0].tolist() == [1 if phones else UNKNOWN] * segments
    with_unknown = align_units(units, [np.append(np.full(phones, 1), UNKNOWN)], (2, 3))
    assert with_unknown[0].tolist() == found[0].tolist()
