"""Stages fit_kmeans and apply_kmeans: cluster the frames of the features; the ids serve `segment` and `match`.

wav2vec-U §4.2, with distances in units of each dimension's standard deviation.
Dimensions: T frames, D features, K clusters.
"""

import logging
from dataclasses import dataclass

import faiss
import numpy as np
from safetensors.numpy import load_file

from unscribed.artifacts import FrameStore, FrameWriter, Pathlike, write_tensors
from unscribed.errors import UserError
from unscribed.units.blocks import map_store, sample_positions, standard_deviations

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KmeansSettings:
    """Section `kmeans` of the configuration."""

    clusters: int
    iterations: int
    restarts: int
    max_frames: int


def fit_kmeans(*, features: Pathlike, settings: KmeansSettings, seed: int, centroids: Pathlike) -> None:
    """Fit k-means on a seeded sample of the frames; write `centroids` (K, D) and `scale` (D,) as safetensors.

    The centroids are in the units of the features; distances are between values divided by `scale`.
    Raises UserError if there are fewer frames than clusters.
    """
    store = FrameStore(features)
    positions = sample_positions(store, settings.max_frames, seed)
    found, scale = cluster(np.asarray(store.data[positions], dtype=np.float32), settings, seed)
    write_tensors(centroids, {"centroids": found, "scale": scale})


def cluster(
    frames: np.ndarray, settings: KmeansSettings, seed: int, key: str = "kmeans.clusters"
) -> tuple[np.ndarray, np.ndarray]:
    """Centroids (K, D), and the scale (D,) by which distances are divided, of `frames` (T, D) float32, which it spoils.

    Raises UserError, which names the setting `key`, if there are fewer frames than clusters.
    """
    if len(frames) < settings.clusters:
        raise UserError(
            f"{len(frames)} frames are too few for {key} {settings.clusters}: lower {key}, "
            "raise kmeans.max_frames, or add audio."
        )
    scale = standard_deviations(frames)
    model = faiss.Kmeans(
        frames.shape[1],
        settings.clusters,
        niter=settings.iterations,
        nredo=settings.restarts,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(frames),  # the sample is drawn before
    )
    frames /= scale  # in place: a large model's frames fill gigabytes
    error = model.train(frames)
    log.info(
        "%d clusters of %d frames; mean squared distance %.3f of %d",
        settings.clusters,
        len(frames),
        error / len(frames),
        frames.shape[1],
    )
    return model.centroids * scale, scale


def apply_kmeans(*, features: Pathlike, kmeans: Pathlike, clusters: Pathlike) -> None:
    """Write the id of every frame's nearest centroid: a frame store of int32, (T, 1)."""
    store = FrameStore(features)
    model = load_file(kmeans)
    scale = model["scale"]
    index = faiss.IndexFlatL2(len(scale))
    index.add(np.ascontiguousarray(model["centroids"] / scale))

    def nearest(first: int, last: int) -> np.ndarray:
        frames = store.data[store.offsets[first] : store.offsets[last]]
        return index.search(np.ascontiguousarray(frames / scale, dtype=np.float32), 1)[1]

    with FrameWriter(clusters, {**store.metadata, "clusters": index.ntotal}, dtype="int32") as writer:
        map_store(store, writer, nearest)
