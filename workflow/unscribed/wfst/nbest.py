"""The best word sequences of a lattice, by OpenFst (kaldifst): epsilons removed, determinised, n shortest paths.

Dimensions: L links, K tokens.
"""

from dataclasses import dataclass
from typing import NamedTuple

import kaldifst
import numpy as np

from unscribed.wfst.lattice import Lattice

MAX_STATES = 50_000  # limit of determinisation: larger takes more memory; beyond it n_best returns nothing


@dataclass(frozen=True)
class NbestSettings:
    """Size of N-best lists: the paths within `lattice_beam` of the best one, and of these at most `nbest` sequences."""

    lattice_beam: float
    nbest: int


class Hypothesis(NamedTuple):
    """Word ids and their natural log score: graph plus scaled acoustic score."""

    words: tuple[int, ...]
    score: float


def n_best(lattice: Lattice, count: int) -> list[Hypothesis]:
    """Return up to `count` different word sequences, best first; none if the lattice cannot be determinised."""
    acceptor = kaldifst.compile(_text(lattice), acceptor=True)
    kaldifst.connect(acceptor)
    try:
        if kaldifst.determinize_star(acceptor, max_states=MAX_STATES):  # true if it stopped early
            return []
    except RuntimeError:  # too many states, or steps between two words
        return []
    paths = kaldifst.convert_nbest_to_vector(kaldifst.shortest_path(acceptor, n=count))
    found = []
    for path in paths:
        _, words, _, weight = kaldifst.get_linear_symbol_sequence(path)
        found.append(Hypothesis(tuple(words), -float(weight.value)))
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


def _text(lattice: Lattice) -> str:
    """Write the lattice as an acceptor of words in OpenFst's text form, the start token first."""
    costs = lattice.graph_costs + lattice.acoustic_costs
    rows = [f"0 {target} {label} {cost:.6f}" for target, label, cost in _links(lattice, costs, 0)]
    later = np.flatnonzero(lattice.sources != 0)
    rows += [
        f"{lattice.sources[link]} {lattice.targets[link]} {lattice.outputs[link]} {costs[link]:.6f}" for link in later
    ]
    ends = np.flatnonzero(np.isfinite(lattice.finals))
    rows += [f"{token} {lattice.finals[token]:.6f}" for token in ends]
    return "\n".join(rows) + "\n"


def _links(lattice: Lattice, costs: np.ndarray, source: int) -> list[tuple[int, int, float]]:
    chosen = np.flatnonzero(lattice.sources == source)
    return [(int(lattice.targets[link]), int(lattice.outputs[link]), float(costs[link])) for link in chosen]
