"""Make audio units: k-means clusters of segment representations.

Dimensions: S segments, D features, K units.
"""

import faiss
import numpy as np

from unscribed.errors import UserError
from unscribed.frames import FrameStore, blocks, sample_positions

ITERATIONS = 20  # of k-means (faiss's default is 25); more take longer and fit the units a little better
POINTS_PER_UNIT = 1000  # segments per unit that k-means is fitted on; more take longer and change no result


def cluster(store: FrameStore, units: int, seed: int) -> np.ndarray:
    """Cluster all rows of `store` (S, D) into `units` groups; return their ids, (S,) int64.

    Raises UserError if there are fewer segments than units.
    """
    total = int(store.offsets[-1])
    if total < units:
        raise UserError(
            f"{store.path}: {total} segments are too few for {units} units. Give more audio or lower match.clusters."
        )
    chosen = sample_positions(store, units * POINTS_PER_UNIT, seed)
    kmeans = faiss.Kmeans(
        store.data.shape[1], units, niter=ITERATIONS, seed=seed, max_points_per_centroid=POINTS_PER_UNIT + 1
    )
    kmeans.train(np.ascontiguousarray(store.data[chosen], dtype=np.float32))
    ids = np.empty(total, dtype=np.int64)
    for first, last in blocks(store):
        start, end = store.offsets[first], store.offsets[last]
        part = np.ascontiguousarray(store.data[start:end], dtype=np.float32)
        ids[start:end] = kmeans.index.search(part, 1)[1][:, 0]
    return ids
