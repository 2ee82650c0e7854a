"""Stages fit_pca and apply_pca: standardise the frames, optionally with their neighbours, and project them.

wav2vec-U §4.2. Dimensions: T frames, D features, W = D × (2 × context_frames + 1) stacked features, P projected ones.
"""

import logging
from dataclasses import dataclass

import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, write_tensors
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter, map_store, sample_positions

log = logging.getLogger(__name__)

CHUNK = 20_000  # frames whose stacked contexts are in memory at once
SMALLEST_VARIANCE = 1e-6  # of the largest one; keeps whitening from raising the noise of empty directions


@dataclass(frozen=True)
class PcaSettings:
    """Section `pca` of the configuration."""

    dims: int
    context_frames: int
    whiten: bool
    max_frames: int


def fit_pca(*, features: Pathlike, settings: PcaSettings, seed: int, pca: Pathlike) -> None:
    """Fit on a seeded sample of the frames; write `mean` (W,), `scale` (W,) and `components` (P, W) as safetensors.

    Components come by falling variance, each with its largest weight positive. Raises UserError if pca.dims exceeds
    W or the store is empty.
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
    scale = np.sqrt(np.where(variance > 1e-12 * max(variance.max(), 1e-30), variance, 1.0))
    correlation = covariance / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    values = np.maximum(values[::-1][: settings.dims], 0.0)
    components = vectors[:, ::-1][:, : settings.dims].T  # (P, W)
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(len(components)), largest])[:, None]
    kept = values.sum() / max(np.trace(correlation), 1e-30)
    log.info("%d of %d dimensions keep %.1f %% of the variance", settings.dims, width, 100 * kept)
    if settings.whiten:
        components = components / np.sqrt(np.maximum(values, SMALLEST_VARIANCE * max(values[0], 1e-30)))[:, None]
    tensors = {"mean": mean, "scale": scale, "components": components}
    write_tensors(pca, {name: value.astype(np.float32) for name, value in tensors.items()})


def apply_pca(*, features: Pathlike, pca: Pathlike, projected: Pathlike) -> None:
    """Write the projection of every frame: a frame store of float32, (T, P).

    Raises UserError if the features have other dimensions than those the PCA was fitted on.
    """
    store = FrameStore(features)
    model, _ = read_tensors(pca)
    stacked, odd = divmod(len(model["mean"]), store.data.shape[1])
    if odd or stacked % 2 == 0:
        raise UserError(
            f"{pca} was fitted on other features than {features} ({len(model['mean'])} dimensions are no odd multiple "
            f"of {store.data.shape[1]}): run the stage pca again."
        )
    weights = (model["components"] / model["scale"]).T  # (W, P)

    def project(first: int, last: int) -> np.ndarray:
        positions = np.arange(store.offsets[first], store.offsets[last])
        frames = np.empty((len(positions), weights.shape[1]), dtype=np.float32)
        for start in range(0, len(positions), CHUNK):
            rows = stack(store, positions[start : start + CHUNK], stacked // 2)
            frames[start : start + len(rows)] = (rows - model["mean"]) @ weights
        return frames

    dims = weights.shape[1]  # none of them is a slope of others
    with FrameWriter(projected, {**store.metadata, "dims": dims, "static_dims": dims}) as writer:
        map_store(store, writer, project)


def stack(store: FrameStore, positions: np.ndarray, context: int) -> np.ndarray:
    """Frames at `positions` (T,), each beside its `context` neighbours on either side, (T, W) float32.

    The first and the last frame of an utterance are repeated at its edges.
    """
    if not context:
        return np.asarray(store.data[positions], dtype=np.float32)
    utterances = np.searchsorted(store.offsets, positions, side="right") - 1
    lowest, highest = store.offsets[utterances], store.offsets[utterances + 1] - 1
    width, dims = 2 * context + 1, store.data.shape[1]
    stacked = np.empty((len(positions), width * dims), dtype=np.float32)
    inner = (positions - context >= lowest) & (positions + context <= highest)
    if inner.any():
        # Neighbours lie side by side in the store: a window is one stretch of memory, far faster than rows one by one.
        windows = np.lib.stride_tricks.sliding_window_view(store.data.reshape(-1), width * dims)[::dims]
        stacked[inner] = windows[positions[inner] - context]
    shifts = np.arange(-context, context + 1)
    wanted = np.clip(positions[~inner, None] + shifts, lowest[~inner, None], highest[~inner, None])
    stacked[~inner] = store.data[wanted].reshape(-1, width * dims)
    return stacked


def _moments(store: FrameStore, positions: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (W,) and covariance (W, W) of the stacked frames, float64, accumulated in chunks."""
    shift = stack(store, positions[:CHUNK], context).mean(axis=0, dtype=np.float64)  # against cancellation
    total, products = np.zeros_like(shift), np.zeros((len(shift), len(shift)))
    for start in range(0, len(positions), CHUNK):
        rows = stack(store, positions[start : start + CHUNK], context) - shift
        total += rows.sum(axis=0)
        products += rows.T @ rows
    offset = total / len(positions)
    return shift + offset, products / len(positions) - np.outer(offset, offset)
