"""Stages ctc_transformer_tune and ctc_transformer: N-best lists rescored with a Transformer language model.

score = acoustic + a · n-grams + b · Transformer + c · words (Baevski et al. 2020, §4.3, whose search uses its
Transformer itself). The weights are chosen on the split valid as in ctc_tune.
Dimensions: H hypotheses of all utterances.
"""

import itertools
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.ctc.decode import NbestTable, word_row
from unscribed.ctc.graph import pronunciations, spells
from unscribed.ctc.search import PosteriorScorer, aligned_words, sentence_graph
from unscribed.ctc.tune import NO_LABELS, compared, word_labels
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.parallel import log_speed, ordered_map
from unscribed.tables import REAL, WordTable
from unscribed.text.lexicon import by_word
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.text.transformer_model import TransformerLm
from unscribed.wfst.beam import search
from unscribed.wfst.nbest import Hypothesis
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed
from unscribed.wfst.tuning import TuningTable, tune, write_tuning
from unscribed.wfst.weights import read_weights
from unscribed.wfst.word_times import confidences

log = logging.getLogger(__name__)

ALIGN_BEAM, ALIGN_ACTIVE = 1e4, 100_000  # prune nothing: the graph of one sentence is small


@dataclass(frozen=True)
class RescoreSettings:
    """Which weights are tried, and on how many utterances: from section `ctc`."""

    lm_weights: list[float]
    insertion_penalties: list[float]
    transformer_weights: list[float]
    tune_utterances: int


@dataclass(frozen=True)
class RescoreWeights:
    """Weights of the parts of a score: a, b and c of the formula."""

    ngram: float
    transformer: float
    word: float


class RescoreTuningTable(TuningTable):
    """The weights that were tried; the perplexity is the geometric mean of those of both language models."""

    STAGE = "ctc_transformer_tune"
    SCHEMA: ClassVar = {"ngram": REAL, "transformer": REAL, "word": REAL, **TuningTable.OUTCOME}


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
        """Read a table of ctc_ngram and ask the model in `folder` for each of its sentences.

        Raises UserError if it is no such table or empty, and without a GPU that is asked for.
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


def ctc_transformer_tune(
    *,
    nbest: Pathlike,
    model: Pathlike,
    references: Pathlike | Sequence[str],
    pseudo_labels: Pathlike | Sequence[str],
    language: str,
    settings: RescoreSettings,
    lm_settings: TransformerLmSettings,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
) -> None:
    """Choose the weights of n-grams, Transformer and words for the lists `nbest` of the split valid.

    Tried are all of ctc.lm_weights and 0 with all of ctc.transformer_weights and, times the sum of the two, of
    ctc.insertion_penalties: with a Transformer weight of 0 among them, those of the n-grams alone. Without
    `references` the label-free score with `pseudo_labels` decides, whose perplexity is the geometric mean of both
    models'. Raises UserError as ctc_tune does.
    """
    torch.set_num_threads(threads)
    labels = word_labels(references, pseudo_labels, language)
    lists = NbestLists.read(nbest, model, lm_settings)
    names = list(dict.fromkeys(lists.utterances))
    lists = lists.only([names[number] for number in labels.choose(names, settings.tune_utterances, seed, NO_LABELS)])
    pairs = zip(lists.utterances, lists.words, strict=True)
    edits, lengths = np.array([labels.edits(name, compared(words, labels)) for name, words in pairs]).T

    def measure(candidate: RescoreWeights) -> tuple[float, float]:
        best = lists.best(candidate)
        log_probs = (lists.ngram + lists.transformer)[best].sum() / 2
        return math.exp(-log_probs / (lists.lengths[best] + 1).sum()), float(edits[best].sum() / lengths[best].sum())

    silent = (
        f"{nbest}: the language models find every sentence impossible. Delete it and run the stage ctc_ngram again."
    )
    write_tuning(tune(candidates(settings), measure, labels, silent), tuning, weights, RescoreTuningTable)


def candidates(settings: RescoreSettings) -> list[RescoreWeights]:
    """The weights that are tried, those without a Transformer first; c is in the units of the acoustics."""
    ngrams = sorted({0.0, *settings.lm_weights})
    triples = itertools.product(sorted(settings.transformer_weights), ngrams, settings.insertion_penalties)
    return [RescoreWeights(a, b, 0.0 - penalty * (a + b)) for b, a, penalty in triples if a + b > 0]


def ctc_transformer(
    *,
    nbest: Pathlike,
    log_probs: Pathlike,
    model: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    lm_settings: TransformerLmSettings,
    threads: int,
    words: Pathlike,
) -> None:
    """Write the hypothesis with the highest score of each utterance, its list in the new order, times and confidences.

    Utterances that `nbest` does not have are those without a path. The words' times come from an alignment with the
    posteriors. Scores are in units of the language models.
    """
    started = time.monotonic()
    torch.set_num_threads(threads)
    store, chosen = FrameStore(log_probs), read_weights(weights, RescoreWeights)
    vocab, symbols = store.metadata["vocab"], read_symbols(word_symbols)
    lexicon = by_word(pronunciations(vocab, symbols, lexiconp))
    lists = NbestLists.read(nbest, model, lm_settings)
    scores = lists.scores(chosen) / (chosen.ngram + chosen.transformer)
    spans = {lists.utterances[start]: (int(start), int(end)) for start, end in itertools.pairwise(lists.first)}

    def rescored(number: int) -> dict | None:
        utterance, frames = store.utterances[number], len(store[number])
        if utterance not in spans:
            return None
        start, end = spans[utterance]
        order = start + np.argsort(-scores[start:end], kind="stable")
        best = lists.words[order[0]]
        lattice = search(
            sentence_graph(best, vocab, lexicon), PosteriorScorer().scores(store, number), ALIGN_BEAM, ALIGN_ACTIVE, 0.0
        )
        if lattice is None:
            raise ValueError(f"{utterance}: no alignment of {' '.join(best)}")
        values, listed = scores[order].tolist(), [lists.words[place] for place in order]
        ids = [tuple(symbols[word] for word in words) for words in listed]
        return word_row(
            utterance,
            frames,
            aligned_words(lattice.alignment(), best, vocab, lexicon),
            confidences(ids[0], [Hypothesis(*pair) for pair in zip(ids, values, strict=True)]),
            nbest=listed,
            scores=values,
            keep_tokens=not spells(vocab),
        )

    table, failed = WordTable(), []
    for number, found_row in enumerate(ordered_map(rescored, range(len(store)), threads, "rescore")):
        if found_row is None:
            table.append_no_path(store.utterances[number], int(store.lengths[number]))
            failed.append(store.utterances[number])
        else:
            table.append(**found_row)
    table.write(words, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)
