"""Skip-gram and positional statistics of symbol sequences, and the over-segmentation channel between them.

Two corpora of one language that share no sentence still share these statistics, which is what the matching relies on
(ESPUM, Wang et al. 2023, "Unsupervised speech recognition with n-skipgram and positional unigram matching", §3).
Dimensions: N sequences (flat symbols with offsets (N + 1,)), V symbols, J skips 1…J, L positions from each end.
"""

from dataclasses import dataclass
from math import comb

import numpy as np


@dataclass(frozen=True)
class Statistics:
    """`unigram` (V,); `skips` (J, V, V), at d - 1 the joint distribution of symbols d apart; `positions` (2, L, V).

    `positions` are the distributions of the symbols counted from the start (0) and from the end (1) of a sequence.
    """

    unigram: np.ndarray
    skips: np.ndarray
    positions: np.ndarray

    @property
    def symbols(self) -> int:
        """Number of symbols V."""
        return len(self.unigram)


def flatten(sequences: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate sequences to flat symbols and offsets (N + 1,)."""
    offsets = np.concatenate([[0], np.cumsum([len(sequence) for sequence in sequences])]).astype(np.int64)
    return np.concatenate([np.empty(0, dtype=np.int64), *sequences]), offsets


def count(symbols: np.ndarray, offsets: np.ndarray, size: int, skips: int, positions: int) -> Statistics:
    """Count the statistics of `symbols` (flat, 0 … size - 1) cut at `offsets`; no pair spans two sequences.

    Distances and positions that no sequence is long enough for have zeros.
    """
    sequence = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    joint = np.zeros((skips, size, size))
    for distance in range(1, skips + 1):
        same = sequence[:-distance] == sequence[distance:]
        pairs = symbols[:-distance][same].astype(np.int64) * size + symbols[distance:][same]
        joint[distance - 1] = np.bincount(pairs, minlength=size * size).reshape(size, size)
    lengths = np.diff(offsets)
    place = np.zeros((2, positions, size))
    for position in range(positions):
        long_enough = lengths > position
        place[0, position] = np.bincount(symbols[offsets[:-1][long_enough] + position], minlength=size)
        place[1, position] = np.bincount(symbols[offsets[1:][long_enough] - 1 - position], minlength=size)
    unigram = np.bincount(symbols, minlength=size)
    return Statistics(_normalized(unigram, 0), _normalized(joint, (1, 2)), _normalized(place, 2))


def oversegment(text: Statistics, stay: float) -> Statistics:
    """Compute the statistics that the text would have if each phone were cut into a geometric number of segments.

    `stay` is the probability that the next segment still belongs to the same phone, i.e. 1 - phones per segment. Two
    segments d apart are then k phones apart with the binomial probability of k advances in d steps; for k = 0 both
    belong to one phone, which is the diagonal. Without this channel the matching would assign the repeated segments of
    one phone to wrong phones.
    """
    skips, positions = len(text.skips), text.positions.shape[1]
    by_advance = np.concatenate([np.diag(text.unigram)[None], text.skips])
    joint = np.stack([np.tensordot(_advances(step, stay), by_advance[: step + 1], 1) for step in range(1, skips + 1)])
    place = np.stack(
        [np.tensordot(_advances(step, stay), text.positions[:, : step + 1], (0, 1)) for step in range(positions)], 1
    )
    return Statistics(text.unigram, joint.astype(np.float32), place.astype(np.float32))


def discrepancy(one: Statistics, other: Statistics) -> float:
    """Distance between two statistics of the same symbols: L1 of the skip-grams plus mean L1 of the positions."""
    return float(np.abs(one.skips - other.skips).sum() + np.abs(one.positions - other.positions).sum(axis=2).mean())


def _advances(steps: int, stay: float) -> np.ndarray:
    """Binomial probabilities of 0 … `steps` advances in `steps` steps, (steps + 1,)."""
    return np.array([comb(steps, k) * (1 - stay) ** k * stay ** (steps - k) for k in range(steps + 1)])


def _normalized(counts: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    total = counts.sum(axis=axis, keepdims=True)
    return (counts / np.maximum(total, 1)).astype(np.float32)
