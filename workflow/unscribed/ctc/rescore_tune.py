"""Stage ctc_transformer_tune: weights of n-grams, Transformer and words, chosen on the split valid as in ctc_tune."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.ctc.nbest_lists import NbestLists, RescoreWeights
from unscribed.ctc.tune import NO_LABELS, compared, word_labels
from unscribed.tables import REAL
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.wfst.tuning import TuningTable, tune, write_tuning


@dataclass(frozen=True)
class RescoreSettings:
    """Which weights are tried, and on how many utterances: from section `ctc`."""

    lm_weights: list[float]
    insertion_penalties: list[float]
    transformer_weights: list[float]
    tune_utterances: int


class RescoreTuningTable(TuningTable):
    """The weights that were tried; the perplexity is the geometric mean of those of both language models."""

    SCHEMA: ClassVar = {"ngram": REAL, "transformer": REAL, "word": REAL, **TuningTable.OUTCOME}


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

    Candidates combine ctc.lm_weights and 0, ctc.transformer_weights, and ctc.insertion_penalties times the sum of both
    weights; with a Transformer weight of 0, n-grams alone are among them. Without `references`, the label-free score
    with `pseudo_labels` decides; its perplexity is the geometric mean of those of both models. Raises UserError as
    ctc_tune does.
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
    """List the weights to try, the lowest Transformer weight first; word weights are in units of acoustic scores."""
    ngrams = sorted({0.0, *settings.lm_weights})
    triples = itertools.product(sorted(settings.transformer_weights), ngrams, settings.insertion_penalties)
    return [RescoreWeights(a, b, 0.0 - penalty * (a + b)) for b, a, penalty in triples if a + b > 0]
