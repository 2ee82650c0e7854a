import itertools

import numpy as np
import pytest

from unscribed.wfst import nbest
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.nbest import n_best

WIDE = 1e6


def _graph(seed: int) -> Graph:
    """A graph in which each frame gives word 1, word 2 or none, in two ways each; arcs without input give words too."""
    rng = np.random.default_rng(seed)
    inputs = [1, 1, 2, 2, 3, 3, 0]
    sources, targets = [0, 0, 0, 0, 0, 1, 0], [0, 1, 0, 1, 1, 0, 1]
    outputs = [1, 1, 2, 2, 0, 0, 2]
    columns = (np.array(column) for column in (sources, targets, inputs, outputs))
    return Graph.build(*columns, 3 * rng.random(7), np.array([0.25, 1.0]))


def _ranking(graph: Graph, scores: np.ndarray) -> list[tuple[tuple[int, ...], float]]:
    """Distinct outputs with their best scores, from all sequences of arcs."""
    best: dict[tuple[int, ...], float] = {}
    ahead = [(0, 0, (), 0.0)]
    while ahead:
        state, frame, words, cost = ahead.pop()
        if frame == len(scores):
            best[words] = min(best.get(words, np.inf), cost + float(graph.final[state]))
        for arc in range(graph.first[state], graph.first[state + 1]):
            label = int(graph.inputs[arc])
            if label and frame == len(scores):
                continue
            acoustic = -float(scores[frame, label]) if label else 0.0
            said = (*words, int(graph.outputs[arc])) if graph.outputs[arc] else words
            target = int(graph.targets[arc])
            ahead.append((target, frame + bool(label), said, cost + float(graph.costs[arc]) + acoustic))
    return sorted(((words, -cost) for words, cost in best.items()), key=lambda item: -item[1])


@pytest.mark.parametrize("seed", range(8))
def test_ranking_of_distinct_words(seed: int) -> None:
    graph = _graph(seed)
    scores = np.random.default_rng(seed).normal(size=(4, 4)).astype(np.float32)
    expected = _ranking(graph, scores)
    lattice = search(graph, scores, WIDE, 1000, WIDE)
    found = n_best(lattice, 1000)
    assert len(found) == len(expected) == len({hypothesis.words for hypothesis in found})
    np.testing.assert_allclose([item.score for item in found], [score for _, score in expected], atol=1e-3)
    assert {item.words for item in found} == {words for words, _ in expected}
    assert dict(found) == pytest.approx(dict(expected), abs=1e-3)
    assert found[0].words == tuple(lattice.symbols()) and found[0].score == pytest.approx(-lattice.cost, abs=1e-3)
    few = n_best(lattice, 5)
    np.testing.assert_allclose([item.score for item in few], [item.score for item in found[:5]], atol=1e-4)
    assert all(better.score >= worse.score for better, worse in itertools.pairwise(found))


def test_only_paths_within_the_lattice_beam() -> None:
    graph, scores = _graph(3), np.random.default_rng(3).normal(size=(4, 4)).astype(np.float32)
    found = n_best(search(graph, scores, WIDE, 1000, 2.0), 1000)
    expected = [item for item in _ranking(graph, scores) if item[1] > -search(graph, scores, WIDE, 1000, 0.0).cost - 2]
    assert {words for words, _ in expected} <= {item.words for item in found}
    assert 1 < len(expected) < len(_ranking(graph, scores))


def test_no_words_at_all() -> None:
    silence = Graph.parse("0 0 1 0 0.5\n0 0.25\n", [])
    found = n_best(search(silence, np.zeros((2, 2), dtype=np.float32), WIDE, 10, 1.0), 3)
    assert [item.words for item in found] == [()] and found[0].score == pytest.approx(-1.25)


@pytest.mark.parametrize("most", [5, 100, 1000])
def test_too_large_lattice(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Too many steps between two words, or too many states: no list, so that the best path stands alone."""
    graph, scores = _graph(0), np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    lattice = search(graph, scores, WIDE, 1000, WIDE)
    assert len(n_best(lattice, 3)) == 3
    monkeypatch.setattr(nbest, "MAX_STATES", most)
    assert n_best(lattice, 3) == []
