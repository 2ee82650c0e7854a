"""Stage verdict: whether a run has learned, told without transcripts.

Three figures, none of which a language model alone can make good. The *edits* between what the last two models of
self-training hear: who guesses, guesses differently each time. The *fluency* of what is heard with the smallest weight
of the language model, against text that was held out: sounds that were understood make sense by themselves. The *pull*
of the largest weight: what only the language model makes fluent, it had to bend.
"""

import logging
import math
from dataclasses import dataclass

import pandas as pd

from unscribed.artifacts import Pathlike, read_json, write_json
from unscribed.outputs.unlearned import NOT_LEARNED
from unscribed.wfst.tuning import TuningTable

log = logging.getLogger(__name__)

LEARNED, DOUBTFUL = "learned", "doubtful"
SCORES = {LEARNED: 1.0, DOUBTFUL: 0.5, NOT_LEARNED: 0.0}  # in metrics.json, which has numbers only


@dataclass(frozen=True)
class Figure:
    """What a figure says: up to `good` it speaks for learning, from `bad` on against it, from `hopeless` on alone."""

    good: float
    bad: float
    meaning: str
    hopeless: float = math.inf

    def verdict(self, value: float) -> str:
        """Return what the value speaks for."""
        return LEARNED if value <= self.good else NOT_LEARNED if value >= self.bad else DOUBTFUL


# Limits: docs/results.md, "Has it learned?", has the corpora that they were set on.
FIGURES = {
    "edits": Figure(0.06, 0.20, "edits per phone between what the last two models hear", hopeless=0.35),
    "fluency": Figure(
        1.35, 2.0, "perplexity of what is heard with the smallest weight of the language model, held-out text = 1"
    ),
    "pull": Figure(1.25, 1.6, "the same, by that of what is heard with the largest weight"),
}
ADVICE = {
    LEARNED: "Its words can be used. Words with a low confidence are the doubtful ones.",
    DOUBTFUL: (
        "Something was learned, but many words are guesses. Listen to some utterances beside their TextGrids. What "
        "helps: teacher.candidate: true, text that is nearer to what is said, more audio, more steps in hmm.steps."
    ),
    NOT_LEARNED: (
        "Its words come from the text, not from the audio: do not use them. Check that text and audio are of one "
        "language (corpus.language), that there is at least an hour of clear speech, and set teacher.candidate: true. "
        "`unscribed doctor --configfile FILE` checks the data."
    ),
}


def verdict(*, tuning: Pathlike, text_report: Pathlike, verdict: Pathlike) -> None:
    """Write the verdict on a run, its figures with their limits, and what to do next.

    `tuning` are the trials of the final model with word n-grams, `text_report` the report of the n-grams of phones by
    which their perplexities were measured.
    """
    figures = measure(TuningTable.read(tuning), read_json(text_report)["perplexity"])
    found = judge(figures)
    about = {
        name: {"value": figures[name], "good": figure.good, "bad": figure.bad, "meaning": figure.meaning}
        for name, figure in FIGURES.items()
    }
    write_json(verdict, {"verdict": found, "figures": about, "advice": ADVICE[found]})
    log.info("%s: %s", found, ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def measure(trials: pd.DataFrame, text_perplexity: float) -> dict[str, float]:
    """Compute the figures from the trials of a tuning (TuningTable) and the perplexity of held-out text."""
    smallest, largest = (
        float(trials.loc[trials["lm_weight"] == weight, "perplexity"].iloc[0])
        for weight in (trials["lm_weight"].min(), trials["lm_weight"].max())
    )
    chosen = float(trials.loc[trials["chosen"], "edit_rate"].iloc[0])
    return {"edits": chosen, "fluency": smallest / text_perplexity, "pull": smallest / largest}


def judge(figures: dict[str, float]) -> str:
    """Return the verdict: learned if all figures say so, not learned if two deny it, or one that is hopeless."""
    said = [FIGURES[name].verdict(value) for name, value in figures.items()]
    hopeless = any(value >= FIGURES[name].hopeless for name, value in figures.items())
    if hopeless or said.count(NOT_LEARNED) >= 2:
        return NOT_LEARNED
    return LEARNED if said.count(LEARNED) == len(said) else DOUBTFUL


def verdict_metrics(path: Pathlike) -> dict[str, float]:
    """Return what metrics.json has of a verdict: its figures, and 1 (learned), 0.5 (doubtful) or 0 (did not learn)."""
    found = read_json(path)
    figures = {f"verdict.{name}": figure["value"] for name, figure in found["figures"].items()}
    return {"verdict.score": SCORES[found["verdict"]], **figures}
