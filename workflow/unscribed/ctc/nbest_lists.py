"""N-best lists with the parts of their scores, including that of a Transformer language model.

score = acoustic + a · n-grams + b · Transformer + c · words (as in Baevski et al. 2020, §4.3, which uses the
Transformer within the search).
Dimensions: H hypotheses of all utterances.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.ctc.decode import NbestTable
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.text.transformer_model import TransformerLm


@dataclass(frozen=True)
class RescoreWeights:
    """Weights of the parts of a score: a, b and c of the formula."""

    ngram: float
    transformer: float
    word: float


@dataclass(frozen=True)
class NbestLists:
    """The N-best lists of several utterances, one after the other; each array is (H,), natural logs."""

    utterances: list[str]
    words: list[list[str]]
    acoustic: np.ndarray
    ngram: np.ndarray
    transformer: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([len(words) for words in self.words])

    @cached_property
    def first(self) -> np.ndarray:
        """The first hypothesis of each utterance, and H at the end."""
        names = np.array(self.utterances)
        return np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1, [len(names)]])

    def scores(self, weights: RescoreWeights) -> np.ndarray:
        language = weights.ngram * self.ngram + weights.transformer * self.transformer
        return self.acoustic + language + weights.word * self.lengths

    def best(self, weights: RescoreWeights) -> np.ndarray:
        """The hypothesis of each utterance with the highest score; the first of equal ones."""
        scores = self.scores(weights)
        return np.array([start + scores[start:end].argmax() for start, end in itertools.pairwise(self.first)])

    @classmethod
    def read(cls, nbest: Pathlike, folder: Pathlike, settings: TransformerLmSettings) -> "NbestLists":
        """Read a table of ctc_ngram and score each of its sentences with the model in `folder`.

        Raises UserError if it is no such table or empty, and if the requested GPU is missing.
        """
        table = NbestTable.read(nbest)
        if not len(table):
            raise UserError(f"{nbest} is empty, nothing was recognised: see the log of the stage ctc_ngram.")
        words = [list(found) for found in table["words"]]
        different = list(dict.fromkeys(map(tuple, words)))
        lm = TransformerLm.read(folder, device_of(settings.device, "transformer_lm.device"))
        with out_of_memory("transformer_lm.batch_tokens", settings.batch_tokens):
            values = dict(zip(different, lm.log_probs(different, settings.batch_tokens), strict=True))
        scores = np.array([values[tuple(found)] for found in words])
        return cls(table["utterance"].tolist(), words, table["acoustic"].to_numpy(), table["lm"].to_numpy(), scores)

    def only(self, utterances: Sequence[str]) -> "NbestLists":
        """The lists of these utterances alone."""
        wanted = set(utterances)
        kept = np.array([place for place, name in enumerate(self.utterances) if name in wanted], dtype=np.int64)
        names, words = ([column[place] for place in kept] for column in (self.utterances, self.words))
        return NbestLists(names, words, self.acoustic[kept], self.ngram[kept], self.transformer[kept])
