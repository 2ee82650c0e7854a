"""Stage segment: cut the frames into segments of about a phone, and average the frames of each.

Methods: `peaks` (cut where the spectrum changes most), `clusters` (runs of one k-means id, wav2vec-U §4.2), `fixed`
(equal lengths). Segments that are alike may be merged until there are so many a second (stage segment_rate).
Dimensions: T frames, D features, S segments; boundaries are S + 1 frame numbers from 0 to T.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from unscribed.artifacts import Pathlike, read_json
from unscribed.config.feature_kinds import LEARNED
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter, sample_positions, standard_deviations
from unscribed.segmentation.merge import merged_edges
from unscribed.tables import BoundaryTable

log = logging.getLogger(__name__)

STATIC_DIMS = 13  # first dimensions that `peaks` looks at: of MFCCs the spectral envelope, without deltas
SCALE_FRAMES = 100_000  # random training frames for the standard deviations: more take longer and change little


@dataclass(frozen=True)
class SegmentSettings:
    """Section `segment` of the configuration."""

    method: str
    smoothing_frames: float
    threshold: float
    frames_per_segment: int
    pool_neighbours: bool


def segment(
    *,
    frames: Pathlike,
    features: Pathlike,
    train_features: Pathlike,
    clusters: Pathlike | Sequence[str],
    rate: Pathlike | Sequence[str],
    settings: SegmentSettings,
    boundaries: Pathlike,
    segments: Pathlike,
) -> None:
    """Write the boundaries of every utterance and the mean PCA frame of every segment.

    `frames` is the PCA store, `features` the store that it was projected from. `train_features` are the features of
    the split train: all splits are scaled by their standard deviations, so that the same audio is cut alike in each.
    Only the method `clusters` needs `clusters`, the k-means ids; else it may be empty. `rate` holds the threshold up to
    which segments are merged; nothing is, if it is empty. Raises UserError if the stores have different utterances or
    lengths.
    """
    store = FrameStore(frames)
    cut = cutter(store, features, train_features, clusters, settings)
    threshold = float(read_json(rate)["threshold"]) if rate else None
    all_boundaries = []
    with FrameWriter(segments, store.metadata) as writer:
        for number, (utterance, values) in enumerate(store):
            edges = cut(number) if threshold is None else merged_edges(values, cut(number), threshold)
            means = segment_means(values, edges)
            if settings.pool_neighbours:
                means, edges = pool_neighbours(means, edges)
            writer.append(utterance, means)
            all_boundaries.append(edges)
        BoundaryTable(utterance=store.utterances, boundaries_frames=all_boundaries).write(boundaries)
    count = sum(writer.lengths)
    log.info("%d segments of %.1f frames on average", count, store.offsets[-1] / max(count, 1))


def runs(ids: np.ndarray) -> np.ndarray:
    """Boundaries (S + 1,) of the runs of equal `ids` (T,)."""
    changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    return np.concatenate([[0], changes, [len(ids)]]).astype(np.int64)


def segment_means(frames: np.ndarray, boundaries: np.ndarray) -> np.ndarray:
    """Mean of `frames` (T, D) over each segment, (S, D) float32."""
    sums = np.add.reduceat(frames, boundaries[:-1], axis=0, dtype=np.float32)
    return sums / np.diff(boundaries).astype(np.float32)[:, None]


def pool_neighbours(means: np.ndarray, boundaries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average segments 0 and 1, 2 and 3, … with equal weight (wav2vec-U §4.2); a last one without partner is kept.

    Returns the new means, ((S + 1) // 2, D), and their boundaries.
    """
    second = means[np.minimum(np.arange(1, len(means) + 1, 2), len(means) - 1)]
    edges = np.append(boundaries[:-1:2], boundaries[-1])
    return (means[::2] + second) / 2, edges


def change_peaks(frames: np.ndarray, smoothing_frames: float, threshold: float) -> np.ndarray:
    """Boundaries (S + 1,) at the peaks of the spectral change of scaled `frames` (T, D).

    The change at t is the distance between the smoothed frames t - 1 and t + 1. A peak becomes a boundary if it
    exceeds `threshold` times the utterance's median change.
    """
    if len(frames) < 3:
        return np.array([0, len(frames)])
    smooth = gaussian_filter1d(frames, smoothing_frames, axis=0) if smoothing_frames else frames
    change = np.zeros(len(frames), dtype=np.float32)
    change[1:-1] = np.linalg.norm(smooth[2:] - smooth[:-2], axis=1)
    middle = change[1:-1]
    peaks = (middle > change[:-2]) & (middle >= change[2:]) & (middle > threshold * np.median(change))
    return np.concatenate([[0], np.flatnonzero(peaks) + 1, [len(frames)]])


def cutter(
    store: FrameStore,
    features: Pathlike,
    train_features: Pathlike,
    clusters: Pathlike | Sequence[str],
    settings: SegmentSettings,
) -> Callable[[int], np.ndarray]:
    """Make the function that takes the number of an utterance and returns its boundaries."""
    if settings.method == "fixed":
        lengths = store.lengths
        return lambda number: np.append(np.arange(0, lengths[number], settings.frames_per_segment), lengths[number])
    if settings.method == "clusters":
        ids = _companion(store, clusters)
        return lambda number: runs(ids[number][:, 0])
    source = _companion(store, features)
    if source.metadata.get("kind") in LEARNED:
        # No small set of learned dimensions is the spectral envelope, so the PCA frames are compared instead.
        return lambda number: change_peaks(store[number], settings.smoothing_frames, settings.threshold)
    dims = min(STATIC_DIMS, source.metadata.get("static_dims", STATIC_DIMS))
    train = FrameStore(train_features)
    scale = standard_deviations(train.data[sample_positions(train, SCALE_FRAMES, seed=0), :dims])
    train.release()
    return lambda number: change_peaks(source[number][:, :dims] / scale, settings.smoothing_frames, settings.threshold)


def _companion(store: FrameStore, path: Pathlike) -> FrameStore:
    """Open the store at `path`. Raises UserError unless its utterances and their lengths are those of `store`."""
    other = FrameStore(path)
    if other.utterances != store.utterances or not np.array_equal(other.offsets, store.offsets):
        raise UserError(
            f"{path} and {store.path} have different utterances or lengths: delete both and run their stages again."
        )
    return other
