"""k-means of frames (wav2vec-U §4.2), with distances in units of each dimension's standard deviation.

Dimensions: T frames, D features, K clusters.
"""

import logging
from dataclasses import dataclass

import faiss
import numpy as np

from unscribed.errors import UserError
from unscribed.frames import standard_deviations

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KmeansSettings:
    """Section `kmeans` of the configuration."""

    clusters: int
    iterations: int
    restarts: int
    max_frames: int


def cluster(
    frames: np.ndarray, settings: KmeansSettings, seed: int, key: str = "kmeans.clusters"
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster `frames` (T, D) float32; return the centroids (K, D) and the scale (D,) that distances are divided by.

    Runs on the GPU if faiss has one (faiss-gpu). Overwrites `frames`. Raises UserError, naming the parameter `key`, if
    there are fewer frames than clusters.
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
        gpu=faiss.get_num_gpus() > 0,  # all that the job may see; faiss-cpu has none
        min_points_per_centroid=1,
        max_points_per_centroid=len(frames),  # faiss would otherwise draw its own sample of `frames`
    )
    frames /= scale  # in place: a large model's frames fill gigabytes
    error = model.train(frames)
    log.info(
        "%d clusters of %d frames on the %s; mean squared distance %.3f in %d dimensions",
        settings.clusters,
        len(frames),
        "GPU" if model.gpu else "CPU",
        error / len(frames),
        frames.shape[1],
    )
    return model.centroids * scale, scale
