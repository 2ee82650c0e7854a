"""How likely each recognised word is right, 0 to 1.

The share of the N-best list that has the word at its place says how much better it fits than other words of the text,
and nothing of words that the text lacks. The goodness of its pronunciation (Witt and Young, "Phone-level pronunciation
scoring", 2000) says how much worse its phones fit the sound than any others would. Both are of one model, which errs
all the same if it learned the wrong thing; the edits between the last two models of self-training tell that. A logistic
regression puts the three together.
Dimensions: T frames of an utterance, V phones, the first of which is silence.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import expit

INTERCEPT, SHARE, GOODNESS, EDITS = -5.367, 0.4437, 0.2886, -1.1491
CERTAIN = 0.001  # shares are kept so far from 0 and 1, and edits from 0: their logarithms are finite


def goodness(scores: np.ndarray, phones: np.ndarray, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the goodness of each word: over its frames, the sum of what its phones score less than the best ones.

    `scores` (T, V) are log likelihoods of the phones by frame, divided by the weight of the language model, `phones`
    (T,) the recognised ones, `spans` the first and last + 1 frame of each word. It is 0 at best.
    """
    if scores.shape[1] < 2:
        return np.zeros(len(spans))
    lost = scores[np.arange(len(phones)), phones] - scores[:, 1:].max(axis=1)
    total = np.concatenate([[0.0], np.cumsum(np.minimum(lost, 0.0), dtype=np.float64)])
    return np.array([total[last] - total[first] for first, last in spans])


def calibrated(shares: Sequence[float], goodness: np.ndarray, edits: float) -> list[float]:
    """Return the probability that each word is right, from its share of the N-best list and its goodness.

    `edits` are those per phone between what the last two models of self-training hear.
    """
    share = np.clip(np.asarray(shares, dtype=np.float64), CERTAIN, 1 - CERTAIN)
    odds = INTERCEPT + SHARE * np.log(share / (1 - share)) + GOODNESS * goodness
    odds = odds + EDITS * math.log(max(edits, CERTAIN))
    return expit(odds).tolist()
