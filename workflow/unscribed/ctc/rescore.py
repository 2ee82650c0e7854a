"""Stages ctc_rescore_tune and ctc_rescore: N-best lists put into a new order with a Transformer language model.

score = acoustic + a · n-grams + b · Transformer + c · words (Baevski et al. 2020, §4.3, whose search uses its
Transformer itself). The weights are chosen on the split valid as in ctc_tune.
Dimensions: H hypotheses of all utterances.
"""

import itertools
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import torch

from unscribed.artifacts import Pathlike, read_json, write_json, write_table
from unscribed.ctc.decode import NbestTable, row
from unscribed.ctc.graph import pronunciations, spells
from unscribed.ctc.search import Posteriors, by_word, sentence_graph, spoken
from unscribed.ctc.tune import Judge
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.parallel import log_speed, ordered_map
from unscribed.tables import WordTable
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.text.transformer_model import TransformerLm
from unscribed.wfst.beam import search
from unscribed.wfst.nbest import Hypothesis
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed
from unscribed.wfst.word_times import confidences

log = logging.getLogger(__name__)

ALIGN_BEAM, ALIGN_ACTIVE = 1e4, 100_000  # a graph of one sentence is small
TUNING_SCHEMA = [
    *((name, pa.float64()) for name in ("ngram", "transformer", "word", "perplexity", "error_rate", "score")),
    ("chosen", pa.bool_()),
]


@dataclass(frozen=True)
class RescoreSettings:
    """What of section `ctc` of the configuration is about the weights with a Transformer."""

    lm_weights: list[float]
    insertion_penalties: list[float]
    transformer_weights: list[float]
    tune_utterances: int


@dataclass(frozen=True)
class Mixture:
    """Weights of the parts of a score: a, b and c of the formula."""

    ngram: float
    transformer: float
    word: float


@dataclass(frozen=True)
class Lists:
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

    def scores(self, weights: Mixture) -> np.ndarray:
        language = weights.ngram * self.ngram + weights.transformer * self.transformer
        return self.acoustic + language + weights.word * self.lengths

    def best(self, weights: Mixture) -> np.ndarray:
        """The hypothesis of each utterance with the highest score; the first of equal ones."""
        scores = self.scores(weights)
        return np.array([start + scores[start:end].argmax() for start, end in itertools.pairwise(self.first)])

    @classmethod
    def read(cls, nbest: Pathlike, folder: Pathlike, settings: TransformerLmSettings) -> "Lists":
        """Read a table of ctc_words and ask the model in `folder` for each of its sentences.

        Raises UserError if it is no such table or empty, and without a GPU that is asked for.
        """
        table = NbestTable.read(nbest)
        if not len(table):
            raise UserError(f"{nbest} is empty, nothing was recognised: see the log of the stage ctc_words.")
        words = [list(found) for found in table["words"]]
        different = list(dict.fromkeys(map(tuple, words)))
        lm = TransformerLm.read(folder, device_of(settings.device, "transformer_lm.device"))
        with out_of_memory("transformer_lm.batch_tokens", settings.batch_tokens):
            values = dict(zip(different, lm.log_probs(different, settings.batch_tokens), strict=True))
        scores = np.array([values[tuple(found)] for found in words])
        return cls(table["utterance"].tolist(), words, table["acoustic"].to_numpy(), table["lm"].to_numpy(), scores)

    def only(self, utterances: Sequence[str]) -> "Lists":
        """The lists of these utterances alone."""
        wanted = set(utterances)
        kept = np.array([place for place, name in enumerate(self.utterances) if name in wanted], dtype=np.int64)
        names, words = ([column[place] for place in kept] for column in (self.utterances, self.words))
        return Lists(names, words, self.acoustic[kept], self.ngram[kept], self.transformer[kept])


def ctc_rescore_tune(
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
    judge = Judge.read(references, pseudo_labels, language)
    lists = Lists.read(nbest, model, lm_settings)
    names = list(dict.fromkeys(lists.utterances))
    lists = lists.only([names[number] for number in judge.choose(names, settings.tune_utterances, seed)])
    errors, lengths = np.array(list(map(judge.edits, lists.utterances, lists.words))).T
    rows = []
    for candidate in mixtures(settings):
        best = lists.best(candidate)
        rate = float(errors[best].sum() / lengths[best].sum())
        surprise = float(-(lists.ngram + lists.transformer)[best].sum() / 2 / (lists.lengths[best] + 1).sum())
        rows.append((*astuple(candidate), math.exp(surprise), rate, judge.score(rate, surprise)))
    best = min(range(len(rows)), key=lambda place: rows[place][-1])
    columns = [*map(list, zip(*rows, strict=True)), [place == best for place in range(len(rows))]]
    write_table(tuning, dict(zip([name for name, _ in TUNING_SCHEMA], columns, strict=True)), TUNING_SCHEMA)
    write_json(weights, asdict(mixtures(settings)[best]) | {"score": rows[best][-1]})
    log.info("weights of n-grams %g, Transformer %g, words %g: perplexity %.1f, error rate %.4f", *rows[best][:-1])


def mixtures(settings: RescoreSettings) -> list[Mixture]:
    """The weights that are tried, those without a Transformer first; c is in the units of the acoustics."""
    ngrams = sorted({0.0, *settings.lm_weights})
    triples = itertools.product(sorted(settings.transformer_weights), ngrams, settings.insertion_penalties)
    return [Mixture(a, b, 0.0 - penalty * (a + b)) for b, a, penalty in triples if a + b > 0]


def ctc_rescore(
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
    store, found = FrameStore(log_probs), read_json(weights)
    vocab, symbols = store.metadata["vocab"], read_symbols(word_symbols)
    lexicon = by_word(pronunciations(vocab, symbols, lexiconp))
    mixture = Mixture(found["ngram"], found["transformer"], found["word"])
    lists = Lists.read(nbest, model, lm_settings)
    scores = lists.scores(mixture) / (mixture.ngram + mixture.transformer)
    spans = {lists.utterances[start]: (int(start), int(end)) for start, end in itertools.pairwise(lists.first)}

    def rescored(number: int) -> dict | None:
        utterance, frames = store.utterances[number], len(store[number])
        if utterance not in spans:
            return None
        start, end = spans[utterance]
        order = start + np.argsort(-scores[start:end], kind="stable")
        said = lists.words[order[0]]
        graph = sentence_graph(said, vocab, lexicon)
        lattice = search(graph, Posteriors().scores(store, number), ALIGN_BEAM, ALIGN_ACTIVE, 0.0)
        if lattice is None:
            raise ValueError(f"{utterance}: no alignment of {' '.join(said)}")
        times = spoken(lattice.alignment(), said, vocab, lexicon)
        values, listed = scores[order].tolist(), [lists.words[place] for place in order]
        ids = [tuple(symbols[word] for word in words) for words in listed]
        sure = confidences(ids[0], [Hypothesis(*pair) for pair in zip(ids, values, strict=True)])
        return row(utterance, frames, said, times, sure, listed, values, keep_tokens=not spells(vocab))

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
