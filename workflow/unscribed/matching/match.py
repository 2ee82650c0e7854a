"""Stage match: one round of the matching, which labels every training segment with a phone.

Dimensions: S segments, K units, V phones, R restarts.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.matching import optimize
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.matching.statistics import Statistics, count, oversegment
from unscribed.segmentation.segment_clusters import cluster
from unscribed.tables import RestartTable
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)

MIN_UTTERANCES = 20  # statistics of fewer are mostly noise; labels matched to them would look valid but mean nothing
LIKELY_RATIOS = (0.7, 1.8)  # segments per phone; an estimate outside this range is not trusted
USUAL_RATIO = 1.2  # segments per phone, assumed in place of an estimate that is not trusted


@dataclass(frozen=True)
class Matcher:
    """Inputs and settings of all passes of one round; `text` is already over-segmented like the audio."""

    segments: FrameStore
    text: Statistics
    settings: MatchSettings
    seed: int
    generator: np.random.Generator

    def run(self, units: int, labels: np.ndarray | None) -> tuple[np.ndarray, optimize.Mapping]:
        """Run one pass: cluster into `units`, match, label.

        Starts from `labels` (S,) if given, else at random. Returns the new labels (S,) and the mapping.
        """
        settings, phones = self.settings, self.text.symbols
        ids = cluster(self.segments, units, self.seed)
        audio = count(ids, self.segments.offsets, units, settings.skips, settings.positions)
        if labels is None:
            start = optimize.random_start(settings.restarts, units, phones, self.generator)
        else:
            shape = (settings.warm_restarts, units, phones)
            start = optimize.warm_start(ids, labels, shape, self.generator)
        steps = settings.steps if labels is None else settings.warm_steps
        mapping = optimize.match(audio, self.text, start, steps, settings.learning_rate)
        log.info(
            "%d units, %d restarts: objective %s",
            units,
            len(start),
            " ".join(f"{value:.3f}" for value in np.sort(mapping.objectives)),
        )
        return mapping.probabilities[mapping.best].argmax(axis=-1)[ids], mapping


def match(
    *,
    segments: Pathlike,
    phones_text: Pathlike,
    phones: Pathlike,
    previous: Pathlike | Sequence[str],
    settings: MatchSettings,
    seed: str,
    threads: int,
    labels: Pathlike,
    objectives: Pathlike,
) -> None:
    """Write the phone of every training segment and the objectives of all restarts.

    `labels` is a frame store of S x 1 int32; `segments` one of representations; `previous` the labels of its
    segments from the round before, empty in the first. The first round runs one pass for each number in
    `match.clusters`: the first pass starts at random, each later one from the labels of the pass before. Later rounds
    run one pass, with the last number, from `previous`.
    Raises UserError if there are fewer than MIN_UTTERANCES utterances.
    """
    torch.set_num_threads(threads)
    store = FrameStore(segments)
    if len(store) < MIN_UTTERANCES:
        raise UserError(
            f"{segments}: {len(store)} training utterances are too few to match statistics (at least {MIN_UTTERANCES}, "
            "better several hundred). Add audio to the split train, or cut long recordings into utterances."
        )
    inventory = read_inventory(phones)
    text, phones_per_sentence = read_text(phones_text, inventory, settings)
    ratio = segments_per_phone(store, phones_per_sentence, settings)
    log.info("%.3f segments per phone, %d phones", ratio, len(inventory))
    oversegmented = oversegment(text, max(0.0, 1 - 1 / ratio))
    matcher = Matcher(store, oversegmented, settings, int(seed), np.random.default_rng(int(seed)))
    assigned = FrameStore(previous).data[:, 0] if previous else None
    passes = []
    for units in settings.clusters if assigned is None else settings.clusters[-1:]:
        assigned, mapping = matcher.run(units, assigned)
        passes.append((units, mapping))
    with FrameWriter(labels, {"phones": inventory}, dtype="int32") as writer:
        for number, utterance in enumerate(store.utterances):
            part = slice(store.offsets[number], store.offsets[number + 1])
            writer.append(utterance, assigned[part, None])
    _write_objectives(objectives, passes)


def segments_per_phone(store: FrameStore, phones_per_sentence: float, settings: MatchSettings) -> float:
    """Return `match.segments_per_phone`; if it is null, estimate it from the lengths of utterances and sentences.

    USUAL_RATIO, with a warning, if the estimate is outside LIKELY_RATIOS.
    """
    if settings.segments_per_phone:
        return settings.segments_per_phone
    segments_per_utterance = store.offsets[-1] / len(store)
    ratio = segments_per_utterance / phones_per_sentence
    if LIKELY_RATIOS[0] <= ratio <= LIKELY_RATIOS[1]:
        return ratio
    log.warning(
        "%.1f segments per utterance, but %.1f phones per sentence: utterances and sentences differ too much in length "
        "to estimate the segments per phone, so %.1f is assumed. Set match.segments_per_phone if you know the number.",
        segments_per_utterance,
        phones_per_sentence,
        USUAL_RATIO,
    )
    return USUAL_RATIO


def _write_objectives(path: Pathlike, passes: list[tuple[int, optimize.Mapping]]) -> None:
    """Write one row per pass and restart; objectives compare only between passes with equal numbers of units."""
    table = RestartTable()
    for units, mapping in passes:
        for restart, objective in enumerate(mapping.objectives):
            table.append(units=units, restart=restart, objective=float(objective), chosen=restart == mapping.best)
    table.write(path)
