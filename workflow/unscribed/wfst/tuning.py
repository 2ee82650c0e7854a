"""Tune the weights of decoding: try all candidates on some utterances and choose the one with the lowest score.

With transcripts as labels the score is the edit rate (wav2vec 2.0, Baevski et al. 2020, appendix B). With pseudo-labels
that were decoded without a language model it is that of wav2vec-U's self-training (Baevski et al. 2021, §3.4 and its
code): the logarithm of the hypotheses' perplexity times their edit rate to the labels. The perplexity alone would
choose too large a weight of the language model, the edit rate alone too small a one.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, ClassVar, Generic

import kaldialign
import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.tables import FLAG, REAL, Table
from unscribed.wfst.weights import AnyWeights, Weights, write_weights

log = logging.getLogger(__name__)


class TuningTable(Table):
    """One row per trial: a column for each weight, then its outcome. `edit_rate` is in edits per symbol of the labels.

    With transcripts as labels the edit rate is the error rate.
    """

    OUTCOME: ClassVar = {"perplexity": REAL, "edit_rate": REAL, "score": REAL, "chosen": FLAG}
    SCHEMA: ClassVar = {"lm_weight": REAL, "insertion_penalty": REAL, **OUTCOME}


@dataclass(frozen=True)
class GridSettings:
    """The weights to try for decoding with a graph, and on how many utterances; from section `hmm` or `ctc`."""

    lm_weights: list[float]
    insertion_penalties: list[float]
    tune_utterances: int

    def weights(self) -> list[Weights]:
        """Return all pairs, first those with the first language model weight."""
        return [Weights(*pair) for pair in product(self.lm_weights, self.insertion_penalties)]


@dataclass(frozen=True)
class Labels:
    """The labels that hypotheses are compared with: symbols by utterance, from transcripts or from pseudo-labels.

    `fluency`: whether the perplexity counts beside the edits.
    """

    symbols: Mapping[str, Sequence[str]]
    fluency: bool

    def choose(self, utterances: Sequence[str], count: int, seed: int, missing: str) -> list[int]:
        """Choose up to `count` utterances among those with labels, as `sample` does.

        Raises UserError with the text `missing` if no utterance has labels.
        """
        numbers = [number for number, name in enumerate(utterances) if len(self.symbols.get(name, ()))]
        if not numbers:
            raise UserError(missing)
        return sample(numbers, count, seed)

    def edits(self, utterance: str, hypothesis: Sequence[str]) -> tuple[int, int]:
        """Return the number of edits that turn a hypothesis into the label, and the length of the label."""
        label = list(self.symbols[utterance])
        return kaldialign.edit_distance(label, list(hypothesis))["total"], len(label)

    def edit_rate(self, hypotheses: Iterable[tuple[str, Sequence[str]]]) -> float:
        """Return the edits per symbol of the labels, for pairs of utterance and hypothesis."""
        counts = [self.edits(*pair) for pair in hypotheses]
        return sum(edits for edits, _ in counts) / max(1, sum(length for _, length in counts))

    def score(self, perplexity: float, edit_rate: float) -> float:
        """Return the score of a trial, lower is better: see the docstring of this module."""
        if math.isinf(perplexity):  # nothing was decoded, in which even an empty label agrees
            return math.inf
        return math.log(perplexity) * edit_rate if self.fluency else edit_rate


def sample(numbers: Sequence[int], count: int, seed: int) -> list[int]:
    """Draw up to `count` of the utterances `numbers`, in rising order."""
    return np.sort(np.random.default_rng(seed).permutation(numbers)[:count]).tolist()


@dataclass(frozen=True)
class Trial(Generic[AnyWeights]):
    """Weights with the outcome of decoding with them."""

    weights: AnyWeights
    perplexity: float
    edit_rate: float
    score: float


def tune(
    candidates: Sequence[AnyWeights], measure: Callable[[AnyWeights], tuple[float, float]], labels: Labels, silent: str
) -> list[Trial[AnyWeights]]:
    """Try every candidate; `measure` decodes with it and returns the hypotheses' perplexity and edit rate to `labels`.

    The perplexity of empty hypotheses is infinite. Raises UserError with the text `silent` if even the best candidate
    gives empty hypotheses.
    """
    trials: list[Trial[AnyWeights]] = []
    for weights in candidates:
        perplexity, rate = measure(weights)
        trials.append(Trial(weights, perplexity, rate, labels.score(perplexity, rate)))
        log.info(
            "trial %d of %d: %s: perplexity %.2f, edit rate %.4f, score %.4f",
            *(len(trials), len(candidates), _described(weights), perplexity, rate, trials[-1].score),
        )
    if not math.isfinite(best(trials).perplexity):
        raise UserError(silent)
    return trials


def best(trials: Sequence[Trial[AnyWeights]], tolerance: float = 0.0) -> Trial[AnyWeights]:
    """Return the middle one of the trials whose scores exceed the lowest by at most `tolerance`, a share of it.

    Of two in the middle it is the later one. With tolerance 0 it is the first of the trials with the lowest score.
    """
    lowest = min(trial.score for trial in trials)
    if not tolerance:
        return next(trial for trial in trials if trial.score == lowest)
    near = [trial for trial in trials if trial.score <= (1 + tolerance) * lowest]
    return near[len(near) // 2]


def write_tuning(
    trials: Sequence[Trial],
    tuning: Pathlike,
    weights: Pathlike,
    table: type[TuningTable] = TuningTable,
    tolerance: float = 0.0,
) -> None:
    """Write all trials as a `table`, whose first columns have the names of the weights, and the best weights.

    `tolerance` is that of `best`.
    """
    chosen = best(trials, tolerance)
    log.info("%s: chosen of %d, score %.4f", _described(chosen.weights), len(trials), chosen.score)
    rows = table()
    for trial in trials:
        outcome = {"perplexity": trial.perplexity, "edit_rate": trial.edit_rate, "score": trial.score}
        rows.append(**asdict(trial.weights), **outcome, chosen=trial is chosen)
    rows.write(tuning)
    write_weights(weights, chosen.weights, chosen.score)


def _described(weights: Any) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in asdict(weights).items())
