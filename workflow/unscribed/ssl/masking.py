"""Which frames are masked, and which frames are their distractors (wav2vec 2.0 §3.1, §4.2).

Drawn by numpy generators that are handed in, never by global ones: so a killed training goes on with the masks that
it would have had. Dimensions: B utterances of a batch, T frames, M masked frames of the utterance with the most.
"""

import numpy as np


def span_masks(
    frames: int, utterances: int, probability: float, span: int, generator: np.random.Generator
) -> np.ndarray:
    """Masks (B, T) bool: `probability` / `span` of all frames begin a span of `span` frames; spans may overlap.

    Starts are drawn without replacement, and a fractional count is rounded at random, so that short utterances are
    masked as much as long ones on average. Every utterance has at least one span. With the published 0.65 and 10,
    49 % of 15 s are masked, in stretches of 15 frames on average (wav2vec 2.0 §4.2).
    Raises ValueError if `frames` is less than `span`.
    """
    if frames < span:
        raise ValueError(f"{frames} frames cannot hold a span of {span}")
    places = frames - span + 1
    masks = np.zeros((utterances, frames), dtype=bool)
    for mask in masks:
        count = int(probability * frames / span + generator.random())
        starts = generator.choice(places, size=min(max(count, 1), places), replace=False)
        mask[(starts[:, None] + np.arange(span)).ravel()] = True
    return masks


def distractors(masks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """For each masked frame `count` other masked frames of its utterance, (B, M, count) int64.

    They are numbered among the masked frames of the utterance, drawn with replacement, and never the frame itself.
    Rows of utterances with fewer than M masked frames are filled with zeros.
    Raises ValueError if an utterance has only one masked frame.
    """
    totals = masks.sum(axis=1)
    if totals.min() < 2:
        raise ValueError("a masked frame needs another one as distractor: mask at least two frames")
    found = np.zeros((len(masks), totals.max(), count), dtype=np.int64)
    for row, total in zip(found, totals, strict=True):
        drawn = generator.integers(0, total - 1, size=(total, count))
        row[:total] = drawn + (drawn >= np.arange(total)[:, None])
    return found
