"""Stage segment_rate: how alike neighbouring segments must be to be merged, so that train has so many a second.

Merging the cheapest pair of the whole corpus again and again comes to the same as merging, in every utterance, up to a
threshold, because utterances do not touch. Found on train, it cuts the same audio alike in every split.
"""

import logging
from collections.abc import Sequence

import numpy as np

from unscribed.artifacts import Pathlike, write_json
from unscribed.frames import FrameStore
from unscribed.segmentation.merge import merge_order
from unscribed.segmentation.segment import SegmentSettings, cutter

log = logging.getLogger(__name__)

NOTHING = -1.0  # a threshold below all costs


def segment_rate(
    *,
    frames: Pathlike,
    features: Pathlike,
    clusters: Pathlike | Sequence[str],
    settings: SegmentSettings,
    rate_hz: float,
    rate: Pathlike,
) -> None:
    """Write the threshold of merges that leaves `rate_hz` segments per second of the training audio (JSON).

    Inputs are those of the stage segment, of train. If there are fewer segments from the start, nothing is merged, and
    a warning says so.
    """
    store = FrameStore(frames)
    cut = cutter(store, features, features, clusters, settings)
    costs, count = [np.zeros(0)], 0
    for number, (_, values) in enumerate(store):
        edges = cut(number)
        costs.append(merge_order(values, edges)[1])
        count += len(edges) - 1
    seconds = float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000
    threshold, left = threshold_for(np.concatenate(costs), count, round(rate_hz * seconds))
    before, after = count / max(seconds, 1e-9), left / max(seconds, 1e-9)
    if before < rate_hz:
        log.warning(
            "segment.rate_hz asks for %g segments a second, and segment.method %s makes %.1f: nothing is merged. Lower "
            "segment.threshold or frames_per_segment, or raise kmeans.clusters, whichever the method uses.",
            rate_hz,
            settings.method,
            before,
        )
    log.info("%.2f segments a second, merged to %.2f; threshold %.4g", before, after, threshold)
    write_json(rate, {"threshold": threshold, "before_hz": before, "after_hz": after})


def threshold_for(costs: np.ndarray, count: int, wanted: int) -> tuple[float, int]:
    """Find the threshold of `costs` that leaves at most `wanted` of `count` segments, and how many it leaves.

    Somewhat fewer where costs are equal, as those of merges that wait for a dearer one are (merge_order); more where
    all utterances have one segment already.
    """
    merges = min(count - wanted, len(costs))
    if merges <= 0:
        return NOTHING, count
    threshold = float(np.partition(costs, merges - 1)[merges - 1])
    return threshold, count - int(np.count_nonzero(costs <= threshold))
