"""Stages kmeans_fit and kmeans_split: cluster the frames of the features (wav2vec-U §4.2).

`segment.method: clusters` cuts at changes of the cluster id; the GAN's auxiliary loss predicts ids of MFCCs.
Distances are in units of each dimension's standard deviation.
Dimensions: T frames, D features, K clusters.
"""

import faiss
import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, write_tensors
from unscribed.clustering import KmeansSettings, cluster
from unscribed.frames import FrameStore, FrameWriter, map_store, sample_positions


def fit_kmeans(
    *,
    features: Pathlike,
    settings: KmeansSettings,
    seed: int,
    centroids: Pathlike,
    key: str = "kmeans.clusters",
) -> None:
    """Fit k-means on a seeded sample of the frames; write `centroids` (K, D) and `scale` (D,) as safetensors.

    The centroids are in the units of the features; divide them and the frames by `scale` to measure distances.
    Raises UserError, naming the parameter `key`, if there are fewer frames than clusters.
    """
    store = FrameStore(features)
    positions = sample_positions(store, settings.max_frames, seed)
    centers, scale = cluster(np.asarray(store.data[positions], dtype=np.float32), settings, seed, key)
    write_tensors(centroids, {"centroids": centers, "scale": scale})


def apply_kmeans(*, features: Pathlike, kmeans: Pathlike, clusters: Pathlike) -> None:
    """Write the id of the nearest centroid of every frame: a frame store of int32, (T, 1)."""
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
