"""How likely each recognised word is right, 0 to 1.

Three things tell. The share of the N-best list that has the word at its place: how much better it fits than other words
of the text. It is high, too, where the text lacks the word that was said. The goodness of its pronunciation (Witt and
Young, "Phone-level pronunciation scoring", 2000): how much worse its phones fit the sound than the best phones would.
Both come from one model, and a model that learned the wrong thing is as sure as one that learned the right one. The
edits between the last two models of self-training tell these apart. A logistic regression puts the three together.
Dimensions: T frames of an utterance, V phones, the first of which is silence.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

INTERCEPT, COEFFICIENTS = -5.367, (0.4437, 0.2886, -1.1491)  # docs/results.md, "How sure of a word"
SMALLEST = 0.001  # shares are kept so far from 0 and 1, and edits from 0: their logarithms are finite


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


def predictors(shares: Sequence[float], goodness: np.ndarray, edits: float) -> np.ndarray:
    """Return what the regression sees of each word, (N, 3): log odds of its share, its goodness, log of the edits.

    `edits` are those per phone between what the last two models of self-training hear.
    """
    share = np.clip(np.asarray(shares, dtype=np.float64), SMALLEST, 1 - SMALLEST)
    return np.stack([logit(share), goodness, np.full(len(share), math.log(max(edits, SMALLEST)))], axis=1)


def calibrated(shares: Sequence[float], goodness: np.ndarray, edits: float) -> list[float]:
    """Return the probability that each word is right; arguments as for `predictors`."""
    return expit(INTERCEPT + predictors(shares, goodness, edits) @ COEFFICIENTS).tolist()
