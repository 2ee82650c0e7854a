"""Beam search over the utterances of a store, many at a time; what scores their frames is a protocol.

Dimensions: T frames, I input labels of the graph.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from unscribed.artifacts import Pathlike, read_json
from unscribed.frames import FrameStore
from unscribed.parallel import ordered_map
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice

log = logging.getLogger(__name__)

RETRY = 3  # times the beam


class FrameScorer(Protocol):
    """What scores the frames of an utterance for a decoding graph: an HMM, or the posteriors of CTC."""

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Natural log likelihoods of utterance `number` by the graph's input labels, (T, I + 1); column 0 is none."""
        ...


@dataclass(frozen=True)
class Weights:
    """How a decoding weighs its parts, as chosen by the stage hmm_tune: acoustic scores are divided by `lm_weight`."""

    lm_weight: float
    insertion_penalty: float


@dataclass(frozen=True)
class Beam:
    """How far the search looks: costs are those after the division by the weight of the language model."""

    beam: float
    max_active: int
    lattice_beam: float


def decode_store(
    scorer: FrameScorer,
    store: FrameStore,
    graph: Graph,
    weights: Weights,
    beam: Beam,
    threads: int,
    numbers: Iterable[int],
) -> Iterator[Lattice | None]:
    """Yield the lattice of each utterance in `numbers`, in order; None where no path explains it."""
    penalised = graph.with_penalty(weights.insertion_penalty)
    scale = np.float32(1 / weights.lm_weight)

    def decode(number: int) -> Lattice | None:
        scores = scorer.scores(store, number) * scale
        found = search(penalised, scores, beam.beam, beam.max_active, beam.lattice_beam)
        if found is None:  # every path that could end was pruned
            found = search(penalised, scores, RETRY * beam.beam, RETRY**2 * beam.max_active, beam.lattice_beam)
        return found

    with threadpool_limits(1):  # utterances side by side beat sharing the work of one
        yield from ordered_map(decode, numbers, threads, "decode")


def read_weights(path: Pathlike) -> Weights:
    """The weights that the stage hmm_tune has chosen."""
    values = read_json(path)
    return Weights(values["lm_weight"], values["insertion_penalty"])


def log_failed(utterances: list[str]) -> None:
    """Say which utterances no path of the graph explains: mostly shorter than any sentence of the language model."""
    if utterances:
        log.warning("no path explains %d utterances, for example %s", len(utterances), ", ".join(utterances[:5]))
