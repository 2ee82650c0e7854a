"""Beam search over the utterances of a store, several in parallel; an acoustic model is a FrameScorer.

Dimensions: T frames, I input labels of the graph.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from unscribed.frames import FrameStore
from unscribed.parallel import numeric_map
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice
from unscribed.wfst.weights import Weights

log = logging.getLogger(__name__)

RETRY_FACTOR = 3  # widen the beam once if no path survives


class FrameScorer(Protocol):
    """An acoustic model: scores each input label of a graph for each frame of an utterance."""

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute natural log likelihoods of utterance `number` by input label, (T, I + 1); column 0 is not used."""
        ...


@dataclass(frozen=True)
class SearchSettings:
    """Limits of the search: paths within `beam` of the best one, and at most `max_active` of them per frame.

    Costs are those after the division by the weight of the language model.
    """

    beam: float
    max_active: int


def decode_store(
    scorer: FrameScorer,
    store: FrameStore,
    graph: Graph,
    weights: Weights,
    settings: SearchSettings,
    threads: int,
    numbers: Iterable[int],
    lattice_beam: float = 0.0,
) -> Iterator[Lattice | None]:
    """Return the lattice of each utterance in `numbers`, in order; None if it has no path, even with a wider beam.

    Lattices hold the paths within `lattice_beam` of the best one; with 0, only the best.
    """
    decoder = Decoder(scorer, graph, weights, settings, lattice_beam)
    return numeric_map(lambda number: decoder(store, number), numbers, threads, "decode")


class Decoder:
    """A scorer with a graph and the weights and limits of the search; the arguments are those of `decode_store`."""

    def __init__(
        self, scorer: FrameScorer, graph: Graph, weights: Weights, settings: SearchSettings, lattice_beam: float
    ) -> None:
        self.scorer, self.settings, self.lattice_beam = scorer, settings, lattice_beam
        self.graph = graph.with_penalty(weights.insertion_penalty)
        self.scale = np.float32(1 / weights.lm_weight)

    def __call__(self, store: FrameStore, number: int) -> Lattice | None:
        """Return the lattice of one utterance; None if it has no path, even with a wider beam."""
        return self.decode(self.scorer.scores(store, number))

    def decode(self, scores: np.ndarray) -> Lattice | None:
        """Return the lattice of an utterance with these `scores` of the scorer, (T, I + 1); None without a path."""
        scores = scores * self.scale
        beam, most = self.settings.beam, self.settings.max_active
        found = search(self.graph, scores, beam, most, self.lattice_beam)
        if found is None:
            found = search(self.graph, scores, RETRY_FACTOR * beam, RETRY_FACTOR**2 * most, self.lattice_beam)
        return found


def log_failed(utterances: list[str]) -> None:
    """Warn of utterances without a path; most are shorter than any sentence of the language model."""
    if utterances:
        log.warning("%d utterances without a path, for example %s", len(utterances), ", ".join(utterances[:5]))
