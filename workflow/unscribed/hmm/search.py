"""Beam search with an HMM over the utterances of a store, many at a time.

Dimensions: T frames, I transition ids.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from unscribed.artifacts import FrameStore
from unscribed.audio.parallel import ordered_map
from unscribed.decoding.beam import search
from unscribed.decoding.graph import Graph
from unscribed.decoding.lattice import Lattice
from unscribed.hmm.model import HmmModel

RETRY = 3  # times the beam


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
    model: HmmModel,
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
        scores = model.scores(store, number) * scale
        found = search(penalised, scores, beam.beam, beam.max_active, beam.lattice_beam)
        if found is None:  # every path that could end was pruned
            found = search(penalised, scores, RETRY * beam.beam, RETRY**2 * beam.max_active, beam.lattice_beam)
        return found

    with threadpool_limits(1):  # utterances side by side beat sharing the work of one
        yield from ordered_map(decode, numbers, threads, "decode")
