"""The oracle map of audio units: each unit becomes the phone that it overlaps most, by the references.

The phone of every frame is known from the times of the references, or by aligning their phones to the units.
Dimensions: T frames, S segments, K units, V phones, N phones of a reference.
"""

from collections.abc import Sequence

import numba
import numpy as np

UNKNOWN = -1  # a frame whose phone is not in the inventory
ALIGNMENTS = 8  # passes of align_units; natural-en's units change their phone no more after six
SMOOTHING = 0.1  # added to each count of unit and phone, so that no segment is impossible
STAY, NEXT, SKIP = 0, 1, 2  # the moves of an alignment from one segment to the following


def frame_places(starts: np.ndarray, end: float, frames: int) -> np.ndarray:
    """Return the place in [silence, phone 1, …, phone N, silence] of each frame, (T,).

    `starts` (N,) and `end` are frame numbers, not whole. A frame belongs to the phone that its middle lies in, and to
    the silences before the first phone and after `end`, which may be NaN: then the last phone goes on to the end.
    """
    middles = np.arange(frames) + 0.5
    places = np.searchsorted(starts, middles, side="right")
    return np.where(middles >= end, len(starts) + 1, places)


def majority_map(units: np.ndarray, phones: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Find the phone that each of K units has in most frames, (K,), for units and phones of frames (T,).

    `shape` is (K, V). Of equally frequent phones the first is taken; a unit without known frames has phone 0.
    """
    known = phones != UNKNOWN
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (units[known], phones[known]), 1)
    return counts.argmax(axis=1)


def align_units(units: Sequence[np.ndarray], phones: Sequence[np.ndarray], shape: tuple[int, int]) -> list[np.ndarray]:
    """Align the phones of each utterance to its segments, without times; returns the phone of each segment, (S,).

    A hidden Markov model with a table of P(unit | phone) and three moves (stay, next phone, leave one out), started
    from phones that share the segments equally and fitted to its own best paths (Viterbi training). Phones are in
    their order; `shape` is (K, V). Utterances with less than half as many segments as phones keep the equal shares.
    """
    known = [_known(row) for row in phones]
    paths = [np.arange(len(found)) * len(row) // max(len(found), 1) for found, row in zip(units, known, strict=True)]
    for _ in range(ALIGNMENTS):
        emissions, moves = _count(units, known, paths, shape)
        paths = [
            best_path(emissions[row[:, None], found], moves) if 0 < len(row) <= 2 * len(found) else path
            for found, row, path in zip(units, known, paths, strict=True)
        ]
    return [row[path] if len(row) else np.full(len(path), UNKNOWN) for row, path in zip(known, paths, strict=True)]


@numba.njit(cache=True)
def best_path(emissions, moves):  # type: ignore[no-untyped-def]
    """Find the best place among N phones of each of S segments, (S,), for log emissions (N, S) and log moves (3,).

    The path begins at the first or second phone and ends at the last or the one before.
    """
    phones, segments = emissions.shape
    scores = np.full((segments, phones), -np.inf)
    came = np.zeros((segments, phones), dtype=np.int8)
    for phone in range(min(2, phones)):
        scores[0, phone] = emissions[phone, 0] + moves[phone + 1]
    for segment in range(1, segments):
        for phone in range(phones):
            for move in range(min(3, phone + 1)):
                score = scores[segment - 1, phone - move] + moves[move]
                if score > scores[segment, phone]:
                    scores[segment, phone], came[segment, phone] = score, move
            scores[segment, phone] += emissions[phone, segment]
    path = np.empty(segments, dtype=np.int64)
    place = phones - 1
    if phones > 1 and scores[segments - 1, place - 1] + moves[2] > scores[segments - 1, place] + moves[1]:
        place -= 1
    for segment in range(segments - 1, -1, -1):
        path[segment] = place
        place -= came[segment, place]
    return path


def _known(phones: np.ndarray) -> np.ndarray:
    return phones[phones != UNKNOWN]


def _count(
    units: Sequence[np.ndarray], phones: Sequence[np.ndarray], paths: Sequence[np.ndarray], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate log P(unit | phone), (V, K), and the log probabilities of the moves, (3,), from the paths."""
    emissions, moves = np.full(shape[::-1], SMOOTHING), np.ones(3)
    for found, row, path in zip(units, phones, paths, strict=True):
        if len(row):
            np.add.at(emissions, (row[path], found), 1)
            steps = np.diff(path)
            moves += np.bincount(steps[steps <= SKIP], minlength=3)
    emissions /= emissions.sum(axis=1, keepdims=True)
    return np.log(emissions), np.log(moves / moves.sum())
