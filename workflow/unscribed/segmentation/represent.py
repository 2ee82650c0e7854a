"""Represent segments by their mean features beside the mean log posteriors of a frame classifier.

Dimensions: T frames, D features, S segments, V phones.
"""

import numpy as np

from unscribed.segmentation.segment import segment_means

# Balance of the two halves of a representation; found on speech of the demo's kind (docs/results.md).
FRAME_WEIGHT, POSTERIOR_WEIGHT, POSTERIOR_FLOOR = 0.5, 0.3, -8.0


def represent(frames: np.ndarray, log_posteriors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Weighted means of frames (T, D) beside those of log posteriors (T, V) in the segments of `edges`, (S, D + V)."""
    evidence = np.maximum(log_posteriors, POSTERIOR_FLOOR)
    means = [FRAME_WEIGHT * segment_means(frames, edges), POSTERIOR_WEIGHT * segment_means(evidence, edges)]
    return np.concatenate(means, axis=1)
