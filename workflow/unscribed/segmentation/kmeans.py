"""Stages fit_kmeans and apply_kmeans: cluster the frames of the features; the ids serve `segment` and `match`.

wav2vec-U §4.2, with distances in units of each dimension's standard deviation.
Dimensions: T frames, D features, K clusters.
"""

import faiss
import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, write_tensors
from unscribed.clustering import KmeansSettings, cluster
from unscribed.frames import FrameStore, FrameWriter, map_store, sample_positions


def fit_kmeans(*, features: Pathlike, settings: KmeansSettings, seed: int, centroids: Pathlike) -> None:
    """Fit k-means on a seeded sample of the frames; write `centroids` (K, D) and `scale` (D,) as safetensors.

    The centroids are in the units of the features; distances are between values divided by `scale`.
    Raises UserError if there are fewer frames than clusters.
    """
    store = FrameStore(features)
    positions = sample_positions(store, settings.max_frames, seed)
    found, scale = cluster(np.asarray(store.data[positions], dtype=np.float32), settings, seed)
    write_tensors(centroids, {"centroids": found, "scale": scale})


def apply_kmeans(*, features: Pathlike, kmeans: Pathlike, clusters: Pathlike) -> None:
    """Write the id of every frame's nearest centroid: a frame store of int32, (T, 1)."""
    store = FrameStore(features)
    model, _ = read_tensors(kmeans)
    scale = model["scale"]
    index = faiss.IndexFlatL2(len(scale))
    index.add(np.ascontiguousarray(model["centroids"] / scale))

    def nearest(first: int, last: int) -> np.ndarray:
        frames = store.data[store.offsets[first] : store.offsets[last]]
        return index.search(np.ascontiguousarray(frames / scale, dtype=np.float32), 1)[1]

    with FrameWriter(clusters, {**store.metadata, "clusters": index.ntotal}, dtype="int32") as writer:
        map_store(store, writer, nearest)
