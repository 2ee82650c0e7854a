"""Diagonal Gaussian mixtures, one per HMM state: likelihoods and re-estimation as matrix products.

Splitting is Kaldi's. Its accumulators take one frame per call from Python, five times slower than the products here.
Dimensions: T frames, D features, P states (pdfs), G Gaussians of all states, in the order of the states.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import kaldi_hmm_gmm as khg
import numba
import numpy as np

MIN_VARIANCE = 0.01  # of a Gaussian; features are scaled to unit variance first
MIN_OCCUPANCY = 10.0  # frames; a Gaussian with fewer is removed (Kaldi's default)
MIN_FRAMES = 20  # a state with fewer is neither re-estimated nor split
NEGLIGIBLE = np.float32(6.0)  # log densities this far below a mixture's largest add less than 0.3 % of it each
# Kaldi's: halves move apart by 0.01 standard deviations; the Gaussians of a state grow with its frames**0.25.
PERTURB, SPLIT_POWER = 0.01, 0.25
BLOCK_BYTES = 32_000_000  # of frames that are worked on at once: copies of all frames of a state would fill gigabytes


@dataclass(frozen=True)
class Mixtures:
    """`weights` (G,), `means` (G, D), `variances` (G, D); `offsets` (P + 1,) cut them into states."""

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    offsets: np.ndarray

    @cached_property
    def _terms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Terms of log density of a Gaussian = constant + frame × linear + frame² × square."""
        inverse = 1 / self.variances.astype(np.float64)
        constant = np.log(self.weights) - 0.5 * (
            np.log(2 * np.pi * self.variances) + self.means.astype(np.float64) ** 2 * inverse
        ).sum(axis=1)
        linear, square = (self.means * inverse).T, -0.5 * inverse.T
        return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in (constant, linear, square))

    def log_densities(self, frames: np.ndarray, part: slice | np.ndarray) -> np.ndarray:
        """Compute weighted log densities of the Gaussians in `part`, (T, G) float32."""
        constant, linear, square = self._terms
        result = frames @ linear[:, part]
        result += (frames * frames) @ square[:, part]
        result += constant[part]
        return result

    def log_likelihoods(self, frames: np.ndarray, states: np.ndarray | None = None) -> np.ndarray:
        """Compute log P(frame | state) of all states or of the given ones, (T, P) float32."""
        if states is None:
            return _sum_by_state(self.log_densities(frames, slice(None)), self.offsets)
        firsts, sizes = self.offsets[states], np.diff(self.offsets)[states]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        chosen = np.arange(offsets[-1]) + np.repeat(firsts - offsets[:-1], sizes)
        return _sum_by_state(self.log_densities(frames, chosen), offsets)


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _sum_by_state(densities: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Log of the summed densities (T, G) of each state, (T, P); negligible densities are not added."""
    frames, size = len(densities), len(offsets) - 1
    result = np.empty((frames, size), dtype=np.float32)
    for frame in range(frames):
        for state in range(size):
            highest = densities[frame, offsets[state]]
            for place in range(offsets[state] + 1, offsets[state + 1]):
                highest = max(highest, densities[frame, place])
            total = np.float32(0.0)
            for place in range(offsets[state], offsets[state + 1]):
                if densities[frame, place] > highest - NEGLIGIBLE:
                    total += np.exp(densities[frame, place] - highest)
            result[frame, state] = highest + np.log(total)
    return result


def single_gaussians(frames: np.ndarray, states: np.ndarray, size: int) -> Mixtures:
    """Estimate one Gaussian for each of `size` states from frames (T, D) labelled with `states` (T,), -1 for none.

    A state with fewer than MIN_FRAMES gets the mean and variance of all frames.
    """
    mean, variance = mean_and_variance(frames, np.arange(len(frames)))
    means, variances = np.tile(mean, (size, 1)), np.tile(variance, (size, 1))
    for state, rows in _by_state(states, size):
        if len(rows) >= MIN_FRAMES:
            means[state], variances[state] = mean_and_variance(frames, rows)
    return Mixtures(np.ones(size, np.float32), means, np.maximum(variances, MIN_VARIANCE), np.arange(size + 1))


def reestimate(mixtures: Mixtures, frames: np.ndarray, states: np.ndarray) -> tuple[Mixtures, np.ndarray, float]:
    """Take one step of EM; return new mixtures, frames per state (P,), mean log likelihood per frame before the step.

    `states` (T,) is the alignment, -1 for frames without one. States with fewer than MIN_FRAMES stay as they are.
    """
    size = len(mixtures.offsets) - 1
    parts, counts, total = [], np.zeros(size, dtype=np.float32), 0.0
    rows_of = dict(_by_state(states, size))
    for state in range(size):
        first, last = mixtures.offsets[state : state + 2]
        rows = rows_of[state]
        counts[state] = len(rows)
        if len(rows) < MIN_FRAMES:
            old = (mixtures.weights[first:last], mixtures.means[first:last], mixtures.variances[first:last])
            parts.append(old)
            continue
        statistics = _Statistics(last - first, frames.shape[1])
        for block in row_blocks(rows, max(frames.shape[1], last - first)):
            own = frames[block]
            densities = mixtures.log_densities(own, slice(first, last))
            highest = densities.max(axis=1, keepdims=True)
            densities = np.exp(densities - highest)
            sums = densities.sum(axis=1, keepdims=True)
            total += float((highest + np.log(sums)).sum(dtype=np.float64))
            statistics.add(densities / sums, own)
        parts.append(statistics.maximised())
    weights, means, variances = (np.concatenate(part) for part in zip(*parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])])
    return Mixtures(weights, means, variances, offsets), counts, total / max(int((states >= 0).sum()), 1)


def split(mixtures: Mixtures, counts: np.ndarray, target: int) -> Mixtures:
    """Kaldi's mixing up: split the Gaussians of states with many frames until there are `target` of them."""
    model = khg.AmDiagGmm()
    for first, last in zip(mixtures.offsets[:-1], mixtures.offsets[1:], strict=True):
        gmm = khg.DiagGmm(int(last - first), mixtures.means.shape[1])
        gmm.set_weights(mixtures.weights[first:last].astype(np.float32))
        gmm.set_invvars_and_means(
            (1 / mixtures.variances[first:last]).astype(np.float32), mixtures.means[first:last].astype(np.float32)
        )
        gmm.compute_gconsts()
        model.add_pdf(gmm)
    # The random noise of the wheel cannot be seeded: it splits without any, and the halves are moved apart below.
    model.split_by_count(counts.astype(np.float32), target, 0.0, SPLIT_POWER, float(MIN_FRAMES))
    gmms = [model.get_pdf(state) for state in range(model.num_pdfs)]
    means = np.concatenate([np.asarray(gmm.means) for gmm in gmms])
    variances = np.concatenate([1 / np.asarray(gmm.inv_vars) for gmm in gmms])
    sizes = np.array([gmm.num_gauss for gmm in gmms])
    grown = np.repeat(sizes > np.diff(mixtures.offsets), sizes)
    noise = np.random.default_rng(target).standard_normal(means.shape, dtype=np.float32)
    return Mixtures(
        np.concatenate([np.asarray(gmm.weights) for gmm in gmms]),
        np.where(grown[:, None], means + PERTURB * np.sqrt(variances) * noise, means),
        variances,
        np.concatenate([[0], np.cumsum(sizes)]),
    )


class _Statistics:
    """Sums over frames (T, D) by their shares (T, G), from which the Gaussians of a state are re-estimated."""

    def __init__(self, gaussians: int, dims: int) -> None:
        self.occupancy = np.zeros(gaussians)
        self.sums, self.squares = np.zeros((gaussians, dims)), np.zeros((gaussians, dims))

    def add(self, shares: np.ndarray, frames: np.ndarray) -> None:
        """Count more frames."""
        self.occupancy += shares.sum(axis=0, dtype=np.float64)
        self.sums += shares.T @ frames
        self.squares += shares.T @ (frames * frames)

    def maximised(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return weights, means and variances; Gaussians with few frames are dropped."""
        kept = self.occupancy > MIN_OCCUPANCY
        kept[self.occupancy.argmax()] = True
        occupancy = self.occupancy[kept, None]
        means = self.sums[kept] / occupancy
        variances = np.maximum(self.squares[kept] / occupancy - means**2, MIN_VARIANCE)
        weights = (occupancy / occupancy.sum())[:, 0]
        return weights.astype(np.float32), means.astype(np.float32), variances.astype(np.float32)


def row_blocks(rows: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Cut numbers of frames, of which `width` float32 each are worked on, into blocks of up to BLOCK_BYTES."""
    size = max(1, BLOCK_BYTES // (4 * width))
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def mean_and_variance(
    frames: np.ndarray, rows: np.ndarray, release: Callable[[], None] = lambda: None
) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and variance (D,) of some rows of `frames` (T, D), block by block, each followed by `release`."""
    width = frames.shape[1]
    mean, variance = np.zeros(width), np.zeros(width)
    for block in row_blocks(rows, width):
        mean += frames[block].sum(axis=0, dtype=np.float64) / len(rows)
        release()
    for block in row_blocks(rows, width):
        away = frames[block] - mean.astype(np.float32)
        variance += np.square(away, out=away).sum(axis=0, dtype=np.float64) / len(rows)
        release()
    return mean.astype(np.float32), variance.astype(np.float32)


def _by_state(states: np.ndarray, size: int) -> list[tuple[int, np.ndarray]]:
    order = np.argsort(states, kind="stable")
    bounds = np.searchsorted(states[order], np.arange(size + 1))
    return [(state, order[bounds[state] : bounds[state + 1]]) for state in range(size)]
