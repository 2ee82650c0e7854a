"""Stages pca_fit and pca_split: standardise the frames, stack each with its neighbours, and project them.

wav2vec-U §4.2, which does not stack. Dimensions: T frames, D features, W = D × (2 × context_frames + 1) stacked
features, P projected features.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter, map_store, sample_positions

log = logging.getLogger(__name__)

CHUNK = 20_000  # frames that are stacked at once: bounds memory (20,000 × W × 4 bytes), without effect on the result
CONSTANT_VARIANCE = 1e-12  # share of the largest variance below which a dimension is constant and is not scaled
SMALLEST_VARIANCE = 1e-6  # share of the largest: whitening treats smaller ones as this, or it would amplify noise
POSITIVE = 1e-30  # in place of zero where silent audio would make a divisor zero


@dataclass(frozen=True)
class PcaSettings:
    """Section `pca` of the configuration."""

    dims: int
    context_frames: int
    whiten: bool
    max_frames: int


def fit_pca(*, features: Pathlike, settings: PcaSettings, seed: int, pca: Pathlike) -> None:
    """Fit a PCA on a seeded sample of the frames; write `mean`, `scale` (W,) and `components` (P, W) as safetensors.

    Components are sorted by falling variance, and the largest weight of each is positive. Raises UserError if pca.dims
    exceeds W or the store is empty.
    """
    store = FrameStore(features)
    positions = sample_positions(store, settings.max_frames, seed)
    width = store.data.shape[1] * (2 * settings.context_frames + 1)
    if settings.dims > width:
        raise UserError(
            f"pca.dims ({settings.dims}) exceeds the {width} dimensions of the input: lower pca.dims, "
            "or raise pca.context_frames."
        )
    mean, covariance = _moments(store, positions, settings.context_frames)
    variance = np.diag(covariance)
    scale = np.sqrt(np.where(variance > CONSTANT_VARIANCE * max(variance.max(), POSITIVE), variance, 1.0))
    correlation = covariance / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    values = np.maximum(values[::-1][: settings.dims], 0.0)
    components = vectors[:, ::-1][:, : settings.dims].T  # (P, W)
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(len(components)), largest])[:, None]
    kept = values.sum() / max(np.trace(correlation), POSITIVE)
    log.info("%d of %d dimensions keep %.1f %% of the variance", settings.dims, width, 100 * kept)
    if settings.whiten:
        components = components / np.sqrt(np.maximum(values, SMALLEST_VARIANCE * max(values[0], POSITIVE)))[:, None]
    tensors = {"mean": mean, "scale": scale, "components": components}
    write_tensors(pca, {name: value.astype(np.float32) for name, value in tensors.items()})


def apply_pca(*, features: Pathlike, pca: Pathlike, projected: Pathlike) -> None:
    """Project every frame; write a frame store of float32, (T, P).

    Raises UserError if the number of dimensions is not that of the features the PCA was fitted on.
    """
    store, projection = FrameStore(features), Projection(pca)
    with FrameWriter(projected, projection.metadata(store)) as writer:
        map_store(store, writer, lambda first, last: projection(store, first, last))


class Projection:
    """A fitted PCA; `weights` (W, P) have the scales in them. Raises UserError for a damaged file."""

    def __init__(self, pca: Pathlike) -> None:
        self.pca = pca
        with readable(pca):
            model, _ = read_tensors(pca)
            self.mean, self.weights = model["mean"], (model["components"] / model["scale"]).T

    def __call__(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Project the frames of the utterances `first` … `last` - 1 of a store, (T, P) float32.

        Raises UserError if the number of dimensions is not that of the features the PCA was fitted on.
        """
        stacked, odd = divmod(len(self.mean), store.data.shape[1])
        if odd or stacked % 2 == 0:
            raise UserError(
                f"{self.pca} was fitted on other features than {store.path} ({len(self.mean)} dimensions are no odd "
                f"multiple of {store.data.shape[1]}): delete {self.pca} and run the stage pca again."
            )
        positions = np.arange(store.offsets[first], store.offsets[last])
        frames = np.empty((len(positions), self.weights.shape[1]), dtype=np.float32)
        for start in range(0, len(positions), CHUNK):
            rows = stack(store, positions[start : start + CHUNK], stacked // 2)
            frames[start : start + len(rows)] = (rows - self.mean) @ self.weights
        return frames

    def metadata(self, store: FrameStore) -> dict[str, Any]:
        """Return the metadata of the projected store: all dimensions are static, as a projection has no deltas."""
        dims = self.weights.shape[1]
        return {**store.metadata, "dims": dims, "static_dims": dims}


def stack(store: FrameStore, positions: np.ndarray, context: int) -> np.ndarray:
    """Stack the frame at each of `positions` (T,) with its `context` neighbours on either side, (T, W) float32.

    At the edges of an utterance its first or last frame is repeated.
    """
    if not context:
        return np.asarray(store.data[positions], dtype=np.float32)
    utterances = np.searchsorted(store.offsets, positions, side="right") - 1
    lowest, highest = store.offsets[utterances], store.offsets[utterances + 1] - 1
    width, dims = 2 * context + 1, store.data.shape[1]
    stacked = np.empty((len(positions), width * dims), dtype=np.float32)
    inner = (positions - context >= lowest) & (positions + context <= highest)
    if inner.any():
        # Neighbours are adjacent in memory, so a window is copied as one block: far faster than row by row.
        windows = np.lib.stride_tricks.sliding_window_view(store.data.reshape(-1), width * dims)[::dims]
        stacked[inner] = windows[positions[inner] - context]
    shifts = np.arange(-context, context + 1)
    wanted = np.clip(positions[~inner, None] + shifts, lowest[~inner, None], highest[~inner, None])
    stacked[~inner] = store.data[wanted].reshape(-1, width * dims)
    return stacked


def _moments(store: FrameStore, positions: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (W,) and covariance (W, W) of the stacked frames, float64, accumulated in chunks."""
    # Near zero mean, the covariance is no small difference of large sums (cancellation).
    shift = stack(store, positions[:CHUNK], context).mean(axis=0, dtype=np.float64)
    total, products = np.zeros_like(shift), np.zeros((len(shift), len(shift)))
    for start in range(0, len(positions), CHUNK):
        rows = stack(store, positions[start : start + CHUNK], context) - shift
        total += rows.sum(axis=0)
        products += rows.T @ rows
    offset = total / len(positions)
    return shift + offset, products / len(positions) - np.outer(offset, offset)
