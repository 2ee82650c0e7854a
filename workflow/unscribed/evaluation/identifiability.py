"""Answers to the question which phone each segment is, and how far each is from the text: the oracle map's, by lot, …

If phones drawn by lot are nearer to the text than the best map of the units that there is, the matching is rewarded for
being wrong, and no number of restarts helps. Dimensions: S segments, K units, V phones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unscribed.evaluation.oracle import UNKNOWN, majority_map
from unscribed.evaluation.per import phone_error_rate
from unscribed.evaluation.tables import DRAWN, FOUND, FROM_ORACLE, ORACLE
from unscribed.matching import optimize
from unscribed.matching.phone_text import MatchSettings
from unscribed.matching.statistics import Statistics, count, discrepancy, flatten
from unscribed.text.silence import SILENCE

DRAWS = 5  # by lot; their losses differ by some thousandths

Labels = list[np.ndarray]  # the phone of each segment, (S,), of each utterance


@dataclass(frozen=True)
class Cut:
    """The transcribed utterances as one segmentation, `name`, cuts them; lists and `said` are in one order.

    `text` is over-segmented as this audio is; `said` holds the reference phones by utterance; `edges` (S + 1,) are in
    frames; `units` (S,) are those of the segments. `inventory` holds the V phones.
    """

    name: str
    text: Statistics
    inventory: list[str]
    said: Mapping[str, Sequence[str]]
    edges: list[np.ndarray]
    units: list[np.ndarray]

    @property
    def segments(self) -> int:
        """Number of segments of all utterances."""
        return sum(len(row) for row in self.units)

    @property
    def numbers(self) -> list[np.ndarray]:
        """Return what was said, between two silences, as numbers: UNKNOWN for phones that the text never uses."""
        number = {phone: place for place, phone in enumerate(self.inventory)}
        around = ((SILENCE, *row, SILENCE) for row in self.said.values())
        return [np.array([number.get(phone, UNKNOWN) for phone in row]) for row in around]

    def oracle(self, spoken: Sequence[np.ndarray], units: int) -> Labels:
        """Map each of so many units to the phone that it overlaps most; `spoken` (T,) are the phones of the frames."""
        lengths = np.concatenate([np.diff(row) for row in self.edges])
        by_frame = np.repeat(np.concatenate(self.units), lengths)
        best = majority_map(by_frame, np.concatenate(spoken), (units, len(self.inventory)))
        return [best[row] for row in self.units]

    def draw(self, generator: np.random.Generator) -> Labels:
        """Draw a phone for each segment from the unigrams of the text."""
        chances = self.text.unigram.astype(np.float64)
        drawn = generator.choice(len(chances), self.segments, p=chances / chances.sum())
        return np.split(drawn, np.cumsum([len(row) for row in self.units])[:-1])

    def loss(self, labels: Labels, settings: MatchSettings) -> float:
        """Measure what the matching minimises, for labels in place of probabilities."""
        audio = count(*flatten(labels), len(self.inventory), settings.skips, settings.positions)
        return discrepancy(audio, self.text)

    def rate(self, labels: Labels) -> float:
        """Compute the phone error rate; equal neighbours are merged."""
        phones = ([self.inventory[label] for label in row] for row in labels)
        return phone_error_rate(self.said, dict(zip(self.said, phones, strict=True)))


def answers(
    cut: Cut,
    spoken: Sequence[np.ndarray],
    settings: MatchSettings,
    seed: int,
    found: tuple[Labels, float] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of an AnswerTable.

    `spoken` (T,) are the phones of the frames of each utterance; `found` holds the labels and the objective of the
    matching, if they are known.
    """
    generator = np.random.default_rng(seed)
    oracle = cut.oracle(spoken, settings.clusters[-1])
    given = [(ORACLE, 0, oracle, None), (FROM_ORACLE, 0, *_match_from(oracle, cut, settings, generator))]
    given += [(DRAWN, draw, cut.draw(generator), None) for draw in range(DRAWS)]
    if found:
        given.append((FOUND, 0, *found))
    return [
        {
            "segmentation": cut.name,
            "answer": answer,
            "draw": draw,
            "loss": cut.loss(labels, settings),
            "objective": objective,
            "per": cut.rate(labels),
        }
        for answer, draw, labels, objective in given
    ]


def verdict(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Summarise the rows of one segmentation; identifiable if the oracle's loss is below that of every draw."""
    by_answer = {row["answer"]: row for row in rows}
    draws = [row["loss"] for row in rows if row["answer"] == DRAWN]
    oracle, refined, found = by_answer[ORACLE], by_answer[FROM_ORACLE], by_answer.get(FOUND)
    values = {
        "identifiable": oracle["loss"] < min(draws),
        "oracle_loss": oracle["loss"],
        "oracle_per": oracle["per"],
        "drawn_loss": float(np.mean(draws)),
        "drawn_loss_lowest": min(draws),
        "drawn_loss_highest": max(draws),
        "from_oracle_loss": refined["loss"],
        "from_oracle_objective": refined["objective"],
        "from_oracle_per": refined["per"],
    }
    if found:
        values |= {"found_loss": found["loss"], "found_objective": found["objective"], "found_per": found["per"]}
    return values


def _match_from(
    labels: Labels, cut: Cut, settings: MatchSettings, generator: np.random.Generator
) -> tuple[Labels, float]:
    """Run a later pass of the matching from `labels`; returns its labels and objective."""
    units, offsets = flatten(cut.units)
    size = settings.clusters[-1]
    audio = count(units, offsets, size, settings.skips, settings.positions)
    shape = (settings.warm_restarts, size, len(cut.inventory))
    start = optimize.warm_start(units, np.concatenate(labels), shape, generator)
    mapping = optimize.match(audio, cut.text, start, settings.warm_steps, settings.learning_rate)
    best = mapping.probabilities[mapping.best].argmax(axis=-1)
    return [best[row] for row in cut.units], float(mapping.objectives[mapping.best])
