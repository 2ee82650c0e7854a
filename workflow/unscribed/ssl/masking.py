"""Draw masks and distractors (wav2vec 2.0 §3.1, §4.2).

The random generator is an argument, never global, so that a resumed training draws the masks that it would have drawn.
Dimensions: B utterances of a batch, T frames, M masked frames of the utterance with the most.
"""

import numpy as np


def span_masks(
    frames: int, utterances: int, probability: float, span: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw masks (B, T) bool of spans of `span` frames, which may overlap: `probability` / `span` × T spans each.

    Starts are drawn without replacement. A fractional number of spans is rounded at random, so that short utterances
    are masked as much as long ones on average; every utterance has at least one span. With the published 0.65 and 10,
    49 % of 15 s are masked, 15 adjacent frames at a time on average (wav2vec 2.0 §4.2).
    Raises ValueError if `frames` is less than `span`.
    """
    if frames < span:
        raise ValueError(f"{frames} frames cannot hold a span of {span}")
    positions = frames - span + 1
    masks = np.zeros((utterances, frames), dtype=bool)
    for mask in masks:
        count = int(probability * frames / span + generator.random())
        starts = generator.choice(positions, size=min(max(count, 1), positions), replace=False)
        mask[(starts[:, None] + np.arange(span)).ravel()] = True
    return masks


def distractors(masks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw for each masked frame `count` other masked frames of its utterance, (B, M, count) int64.

    The numbers count the masked frames of the utterance from 0; they are drawn with replacement, and a frame is never
    its own distractor. Utterances with fewer than M masked frames are padded with zeros.
    Raises ValueError if an utterance has only one masked frame.
    """
    totals = masks.sum(axis=1)
    if totals.min() < 2:
        raise ValueError("a masked frame needs another one as distractor: mask at least two frames")
    others = np.zeros((len(masks), totals.max(), count), dtype=np.int64)
    for row, total in zip(others, totals, strict=True):
        drawn = generator.integers(0, total - 1, size=(total, count))
        row[:total] = drawn + (drawn >= np.arange(total)[:, None])  # skips the frame itself
    return others
