"""Times and confidences of the words of a lattice's best path.

Dimensions: T frames of an utterance.
"""

from collections.abc import Sequence

import kaldialign
import numpy as np

from unscribed.text.lexicon import Lexicon
from unscribed.text.silence import SILENCE
from unscribed.wfst.nbest import Hypothesis


def word_spans(spoken: Sequence[str], phones: Sequence[str], lexicon: Lexicon) -> list[tuple[int, int]]:
    """Return first and last + 1 phone of each word; `phones` are pronunciations of the words with silences between.

    Determinisation moves the word labels of a graph along its paths, so the times come from the phones. Raises
    ValueError if the phones are no pronunciation of the words.
    """
    dead: set[tuple[int, int]] = set()

    def match(word: int, place: int) -> list[tuple[int, int]] | None:
        while place < len(phones) and phones[place] == SILENCE:
            place += 1
        if word == len(spoken):
            return [] if place == len(phones) else None
        if (word, place) in dead:
            return None
        for variant in lexicon[spoken[word]]:
            end = place + len(variant)
            if tuple(phones[place:end]) == variant and (rest := match(word + 1, end)) is not None:
                return [(place, end), *rest]
        dead.add((word, place))
        return None

    spans = match(0, 0)
    if spans is None:
        raise ValueError(f"{' '.join(phones)} is no pronunciation of {' '.join(spoken)}")
    return spans


def confidences(best: Sequence[int], hypotheses: Sequence[Hypothesis]) -> list[float]:
    """Return for each word of `best` the share of the N-best list's probability that has it at its place, 0 to 1."""
    scores = np.array([hypothesis.score for hypothesis in hypotheses])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    result = np.zeros(len(best))
    for hypothesis, share in zip(hypotheses, shares, strict=True):
        place = 0
        for left, right in kaldialign.align(list(best), list(hypothesis.words), -1):
            if left != -1:
                result[place] += share * (left == right)
                place += 1
    return np.minimum(result, 1.0).tolist()
