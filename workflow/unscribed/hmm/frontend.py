"""Front end of the HMM: frames scaled to unit variance, or several of them spliced and transformed by LDA.

Dimensions: T frames, D features of the store, W = D' × (2 × context + 1) spliced ones, Q features after LDA, P states.
"""

import logging
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from unscribed.frames import FrameStore
from unscribed.segmentation.pca import stack

log = logging.getLogger(__name__)

LDA_FRAMES = 200_000  # random frames that LDA is fitted on; more hardly change it
SHRINKAGE = 1e-4  # of covariances towards a multiple of the identity, so that constant features do no harm


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
        return (spliced @ self.lda if self.lda is not None else spliced).astype(np.float32)

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
    deviation = np.asarray(store.data[positions], dtype=np.float32).std(axis=0)
    return FrontEnd(np.where(deviation > 0, deviation, 1.0).astype(np.float32), store.data.shape[1], 0, None)


def with_lda(
    base: FrontEnd, store: FrameStore, positions: np.ndarray, states: np.ndarray, dims: int, context: int, seed: int
) -> FrontEnd:
    """Fit LDA (scikit-learn) on spliced frames with their states as classes (Haeb-Umbach and Ney 1992).

    `positions` (T,) are frames of the store and `states` (T,) their states. A state with a single frame is left out.
    At most W and P - 1 dimensions remain. Within the classes the result has unit covariance, which suits diagonal
    Gaussians.
    """
    static = int(store.metadata.get("static_dims", store.data.shape[1]))
    spliced = FrontEnd(base.scale, static, context, None)
    chosen = np.random.default_rng(seed).permutation(len(positions))[:LDA_FRAMES]
    chosen = chosen[np.bincount(states[chosen], minlength=states.max() + 1)[states[chosen]] > 1]
    chosen.sort()
    rows, classes = spliced.rows(store, positions[chosen]), states[chosen]
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        lda.fit(rows, classes)
    kept = min(dims, rows.shape[1], len(np.unique(classes)) - 1)
    log.info("LDA: %d frames of %d features to %d", len(rows), rows.shape[1], kept)
    return FrontEnd(base.scale, static, context, lda.scalings_[:, :kept].astype(np.float32))
