"""Front end of the HMM: frames scaled to unit variance, or several of them spliced and transformed by LDA.

Dimensions: T frames, D features of the store, W = D' × (2 × context + 1) spliced ones, Q features after LDA, P states.
"""

import logging
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from unscribed.frames import FrameStore
from unscribed.hmm.gmm import mean_and_variance, row_blocks
from unscribed.segmentation.pca import stack

log = logging.getLogger(__name__)

LDA_FRAMES = 200_000  # random frames that LDA is fitted on; more hardly change it
SHRINKAGE = 1e-4  # of covariances towards a multiple of the identity, so that constant features do no harm
COVARIANCE_BYTES = 32  # that fitting LDA takes per entry of a covariance (W, W); measured: 26


@dataclass(frozen=True)
class FrontEnd:
    """`scale` (D,); `dims`: leading features of a frame that are used; `context` frames on each side; `lda` (W, Q).

    Without LDA (context 0) all features are used; with it the deltas are left out, since splicing
    contains them.
    """

    scale: np.ndarray
    dims: int
    context: int
    lda: np.ndarray | None

    def __call__(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Transform the frames of the utterances `first` … `last` - 1, (T, D) or (T, Q) float32."""
        positions = np.arange(store.offsets[first], store.offsets[last])
        return self.rows(store, positions)

    def rows(self, store: FrameStore, positions: np.ndarray) -> np.ndarray:
        """Transform the frames of the store at `positions`."""
        spliced = splice(store, positions, self.dims, self.context) / self._scales
        return (spliced @ self.lda if self.lda is not None else spliced).astype(np.float32, copy=False)

    @property
    def size(self) -> int:
        """Number of features of a transformed frame."""
        return len(self._scales) if self.lda is None else self.lda.shape[1]

    @property
    def _scales(self) -> np.ndarray:
        return np.tile(self.scale[: self.dims], 2 * self.context + 1)


def splice(store: FrameStore, positions: np.ndarray, dims: int, context: int) -> np.ndarray:
    """Stack the first `dims` features of frames and of their neighbours within the utterance, (T, W)."""
    stacked = stack(store, positions, context)
    width = store.data.shape[1]
    return (
        stacked
        if dims == width
        else stacked.reshape(len(positions), -1, width)[:, :, :dims].reshape(len(positions), -1)
    )


def scaling(store: FrameStore, positions: np.ndarray) -> FrontEnd:
    """Make the front end without LDA: every feature divided by its standard deviation over `positions`."""
    deviation = np.sqrt(mean_and_variance(store.data, positions, store.release)[1])
    return FrontEnd(np.where(deviation > 0, deviation, 1.0).astype(np.float32), store.data.shape[1], 0, None)


def lda_context(context_ms: float, store: FrameStore, max_memory_mb: int) -> int:
    """Return the frames on each side that span `context_ms`, or as many as `max_memory_mb` of covariances allow."""
    wanted = round(context_ms / store.metadata["hop_ms"])
    widest = int((max_memory_mb * 1e6 / COVARIANCE_BYTES) ** 0.5)
    possible = max(0, (widest // static_dims(store) - 1) // 2)
    if possible < wanted:
        log.warning(
            "LDA splices %d frames on each side instead of %d, whose covariances would exceed hmm.max_memory_mb (%d)",
            possible,
            wanted,
            max_memory_mb,
        )
    return min(wanted, possible)


def static_dims(store: FrameStore) -> int:
    """Return the number of leading features of a frame that are no deltas."""
    return int(store.metadata.get("static_dims", store.data.shape[1]))


def with_lda(
    base: FrontEnd, store: FrameStore, positions: np.ndarray, states: np.ndarray, dims: int, context: int, seed: int
) -> FrontEnd:
    """Fit LDA on spliced frames with their states as classes (Haeb-Umbach and Ney 1992).

    `positions` (T,) are frames of the store and `states` (T,) their states. A state with a single frame is left out.
    At most W and P - 1 dimensions remain. Within the classes the result has unit covariance, which suits diagonal
    Gaussians.
    """
    spliced = FrontEnd(base.scale, static_dims(store), context, None)
    chosen = np.random.default_rng(seed).permutation(len(positions))[:LDA_FRAMES]
    chosen = chosen[np.bincount(states[chosen], minlength=states.max() + 1)[states[chosen]] > 1]
    chosen.sort()
    names, classes = np.unique(states[chosen], return_inverse=True)
    within, between = _scatter(spliced, store, positions[chosen], classes, len(names))
    kept = min(dims, len(within), len(names) - 1)
    log.info("LDA: %d frames of %d features to %d", len(chosen), len(within), kept)
    return FrontEnd(base.scale, spliced.dims, context, _directions(within, between, kept))


def _scatter(
    spliced: FrontEnd, store: FrameStore, positions: np.ndarray, classes: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (W, W) float64 within and between `size` classes, accumulated block by block.

    All spliced frames at once would be 3.7 GB for 512 features and nine frames.
    """
    width = spliced.size
    within, sums = np.zeros((width, width)), np.zeros((size, width))
    blocks = list(row_blocks(np.arange(len(positions)), width))
    # Near zero mean, the covariance is no small difference of large sums (cancellation).
    shift = spliced.rows(store, positions[blocks[0]]).mean(axis=0)
    for block in blocks:
        rows = spliced.rows(store, positions[block])
        rows -= shift
        within += rows.T @ rows
        sums += (classes[block] == np.arange(size)[:, None]).astype(np.float32) @ rows
        store.release()
    within /= len(positions)
    counts = np.bincount(classes, minlength=size)[:, None]
    mean = sums.sum(axis=0) / len(positions)
    roots = np.sqrt(counts / len(positions)) * (sums / counts - mean)
    between = roots.T @ roots
    within -= np.outer(mean, mean)
    within -= between
    return within, between


def _directions(within: np.ndarray, between: np.ndarray, kept: int) -> np.ndarray:
    """Directions in which the classes differ most for their spread, (W, Q) float32; both covariances are used up."""
    for covariance in (within, between):
        level = SHRINKAGE * np.trace(covariance) / len(covariance)
        covariance *= 1 - SHRINKAGE
        covariance.flat[:: len(covariance) + 1] += level
    last = len(within) - 1
    # Transposed they are in the order of columns, which LAPACK works on in place.
    _, vectors = eigh(
        between.T,
        within.T,
        subset_by_index=[len(within) - kept, last],
        overwrite_a=True,
        overwrite_b=True,
        check_finite=False,
    )
    return np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)
