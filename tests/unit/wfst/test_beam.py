"""The beam search and its lattices against all paths of small random graphs."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice

WIDE = 1e6
LABELS = 4  # input labels


class Way(NamedTuple):
    """A path: input labels of the frames, outputs, cost."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    cost: float


def random_graph(seed: int, states: int = 5, arcs: int = 12, silent: int = 4) -> Graph:
    """Arcs without an input lead to higher states only, so that they make no loop."""
    rng = np.random.default_rng(seed)
    sources, targets = rng.integers(states, size=arcs), rng.integers(states, size=arcs)
    sources[0], targets[-1] = 0, states - 1
    ends = np.sort(np.array([rng.choice(states, 2, replace=False) for _ in range(silent)]), axis=1)
    final = np.where(rng.random(states) < 0.5, rng.random(states), np.inf)
    final[-1] = 0.5
    return Graph.build(
        np.concatenate([sources, ends[:, 0]]),
        np.concatenate([targets, ends[:, 1]]),
        np.concatenate([rng.integers(1, LABELS + 1, size=arcs), np.zeros(silent, dtype=int)]),
        rng.integers(3, size=arcs + silent),
        3 * rng.random(arcs + silent),
        final,
    )


def random_scores(seed: int, frames: int) -> np.ndarray:
    return np.random.default_rng(1000 + seed).normal(scale=2, size=(frames, LABELS + 1)).astype(np.float32)


def ways(graph: Graph, scores: np.ndarray, state: int = 0, frame: int = 0) -> Iterator[Way]:
    """All paths from a state at a frame to an end, straight from the definition."""
    if frame == len(scores) and np.isfinite(graph.final[state]):
        yield Way((), (), float(graph.final[state]))
    for arc in range(graph.first[state], graph.first[state + 1]):
        label, output, cost = int(graph.inputs[arc]), int(graph.outputs[arc]), float(graph.costs[arc])
        if label and frame == len(scores):
            continue
        acoustic = -float(scores[frame, label]) if label else 0.0
        for rest in ways(graph, scores, int(graph.targets[arc]), frame + bool(label)):
            yield Way(
                (label, *rest.inputs) if label else rest.inputs,
                (output, *rest.outputs) if output else rest.outputs,
                cost + acoustic + rest.cost,
            )


def lattice_ways(lattice: Lattice, token: int = 0) -> Iterator[Way]:
    if np.isfinite(lattice.finals[token]):
        yield Way((), (), float(lattice.finals[token]))
    for link in np.flatnonzero(lattice.sources == token):
        label, output = int(lattice.inputs[link]), int(lattice.outputs[link])
        cost = float(lattice.graph_costs[link] + lattice.acoustic_costs[link])
        for rest in lattice_ways(lattice, int(lattice.targets[link])):
            yield Way(
                (label, *rest.inputs) if label else rest.inputs,
                (output, *rest.outputs) if output else rest.outputs,
                cost + rest.cost,
            )


def _sorted(found: list[Way]) -> list[Way]:
    return sorted(Way(way.inputs, way.outputs, round(way.cost, 2)) for way in found)


CASES = [(seed, frames) for seed in range(12) for frames in (1, 2, 4)]


@pytest.mark.parametrize(("seed", "frames"), CASES)
def test_best_path(seed: int, frames: int) -> None:
    graph, scores = random_graph(seed), random_scores(seed, frames)
    expected = sorted(ways(graph, scores), key=lambda way: way.cost)
    found = search(graph, scores, WIDE, 1000, 0.0)
    assert (found is None) == (not expected)
    if found:
        assert found.cost == pytest.approx(expected[0].cost, abs=1e-3)
        assert tuple(found.alignment()) == expected[0].inputs
        assert tuple(found.symbols()) == expected[0].outputs
        links = found.best
        assert (found.targets[links[:-1]] == found.sources[links[1:]]).all() and found.sources[links[0]] == 0
        total = (found.graph_costs + found.acoustic_costs)[links].sum() + found.finals[found.targets[links[-1]]]
        assert total == pytest.approx(found.cost, abs=1e-3)


@pytest.mark.parametrize("beam", [2.0, 6.0, WIDE])
@pytest.mark.parametrize("seed", range(12))
def test_lattice_holds_the_paths_within_the_beam(seed: int, beam: float) -> None:
    """The lattice has all these paths, and every link is on one of them."""
    graph, scores = random_graph(seed), random_scores(seed, 4)
    expected = list(ways(graph, scores))
    lattice = search(graph, scores, WIDE, 1000, beam)
    if lattice is None:
        assert not expected
        return
    limit = min(way.cost for way in expected) + beam
    within = [way for way in expected if way.cost <= limit - 0.01]
    found = list(lattice_ways(lattice))
    if beam == WIDE:
        assert [way[:2] for way in _sorted(found)] == [way[:2] for way in _sorted(expected)]
    costs: dict[tuple, list[float]] = {}
    for way in expected:
        costs.setdefault(way[:2], []).append(way.cost)
    for way in found:  # paths of the graph, at its costs
        assert min(abs(way.cost - cost) for cost in costs[way[:2]]) < 1e-2
    assert len([way for way in found if way.cost <= limit - 0.01]) == len(within)
    for link in range(len(lattice.sources)):
        assert _best_through(lattice, link) <= limit + 0.02


def _best_through(lattice: Lattice, link: int) -> float:
    costs = lattice.graph_costs + lattice.acoustic_costs
    size = len(lattice.finals)
    ahead, behind = lattice.finals.astype(float), np.where(np.arange(size) == 0, 0.0, np.inf)
    for _ in range(size):
        np.minimum.at(ahead, lattice.sources, costs + ahead[lattice.targets])
        np.minimum.at(behind, lattice.targets, costs + behind[lattice.sources])
    return float(behind[lattice.sources[link]] + costs[link] + ahead[lattice.targets[link]])


def test_narrow_search_still_finds_a_path() -> None:
    """Its cost is that of its path, and not below the best path's."""
    narrow = worse = 0
    for seed in range(30):
        graph, scores = random_graph(seed, 6, 14), random_scores(seed, 4)
        every = list(ways(graph, scores))
        for beam, active in ((1.0, 1000), (WIDE, 1)):
            found = search(graph, scores, beam, active, 1.0)
            if found:
                narrow += 1
                chosen = (tuple(found.alignment()), tuple(found.symbols()))
                assert min(abs(found.cost - way.cost) for way in every if way[:2] == chosen) < 1e-3
                worse += found.cost > min(way.cost for way in every) + 1e-3
    assert narrow > 20 and worse > 3


def test_no_path_ends() -> None:
    line = Graph.parse("0 1 1 1\n1 2 2 0\n2 0.5\n", [])
    scores = np.zeros((4, 3), dtype=np.float32)
    assert search(line, scores[:2], WIDE, 10, WIDE).cost == pytest.approx(0.5)
    assert search(line, scores[:1], WIDE, 10, WIDE) is None  # too short
    assert search(line, scores[:3], WIDE, 10, WIDE) is None  # a frame too many, the last one
    assert search(line, scores, WIDE, 10, WIDE) is None
    assert search(line, scores[:0], WIDE, 10, WIDE) is None


def test_arrays_grow() -> None:
    """More tokens and links than the initial arrays hold: a chain of arcs without input reaches all states at once."""
    size = 3000
    chain = np.arange(size - 1)
    graph = Graph.build(
        np.concatenate([chain, np.arange(size)]),
        np.concatenate([chain + 1, np.arange(size)]),
        np.concatenate([np.zeros(size - 1, dtype=int), np.ones(size, dtype=int)]),
        np.zeros(2 * size - 1, dtype=int),
        np.concatenate([np.full(size - 1, 0.25), np.linspace(3, 0, size)]),
        np.where(np.arange(size) == size - 1, 0.0, np.inf),
    )
    found = search(graph, np.zeros((3, 2), dtype=np.float32), WIDE, size, 1.0)
    assert found.cost == pytest.approx((size - 1) / 4) and found.alignment().tolist() == [1, 1, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite(value: float) -> None:
    graph, scores = random_graph(0), random_scores(0, 3)
    scores[1, 2] = value
    with pytest.raises(ValueError, match="not finite"):
        search(graph, scores, WIDE, 10, 1.0)
    scores = random_scores(0, 3)
    scores[:, 0] = value  # the id 0 is none
    search(graph, scores, WIDE, 10, 1.0)
