"""Represent a segment by its mean features, concatenated with the mean log posteriors of a frame classifier.

Dimensions: T frames, D features, S segments, V phones.
"""

import numpy as np

from unscribed.segmentation.segment import segment_means

# Factors on features and log posteriors, chosen on speech like the demo's: the larger one decides more of the distance
# between two segments.
FRAME_WEIGHT, POSTERIOR_WEIGHT = 0.5, 0.3
POSTERIOR_FLOOR = -8.0  # natural logarithm: phones less likely than exp(-8) = 0.03 % count as equally unlikely


def represent(frames: np.ndarray, log_posteriors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Weighted means of frames (T, D) and log posteriors (T, V) between `edges` (S + 1,), side by side, (S, D + V)."""
    evidence = np.maximum(log_posteriors, POSTERIOR_FLOOR)
    means = [FRAME_WEIGHT * segment_means(frames, edges), POSTERIOR_WEIGHT * segment_means(evidence, edges)]
    return np.concatenate(means, axis=1)
