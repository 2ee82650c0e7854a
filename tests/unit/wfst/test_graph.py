from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from unscribed.artifacts import write_tensors
from unscribed.errors import UserError
from unscribed.wfst.graph import Graph

# OpenFst's text form: the start state comes first; 7 and 8 are disambiguation symbols.
TEXT = """2\t0\t3\t5\t0.5
2\t1\t7\t0
2\t2\t4\t0\t1.25
0\t1\t3\t6
1\t3\t8\t0\t2
1
3\t0.75
"""


def _arcs(graph: Graph) -> list[tuple[int, int, int, int, float]]:
    sources = np.repeat(np.arange(len(graph.final)), np.diff(graph.first))
    columns = (sources, graph.targets, graph.inputs, graph.outputs, graph.costs)
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def test_parse() -> None:
    """States 0 and 2 change places, as 2 is the start; labels 7 and 8 consume nothing; absent weights are 0."""
    graph = Graph.parse(TEXT, [7, 8])
    assert _arcs(graph) == [
        (0, 1, 0, 0, 0.0),
        (0, 2, 3, 5, 0.5),
        (0, 0, 4, 0, 1.25),
        (1, 3, 0, 0, 2.0),
        (2, 1, 3, 6, 0.0),
    ]
    assert graph.first.tolist() == [0, 3, 4, 5, 5]
    assert graph.emitting.tolist() == [1, 4, 4, 5]  # behind the arcs without an input
    assert graph.final.tolist() == [np.inf, 0.0, np.inf, 0.75]


def test_parse_with_the_start_in_place() -> None:
    graph = Graph.parse("0 1 1 1 0.5\n1 1 2 0\n1 0.25\n", [])
    assert _arcs(graph) == [(0, 1, 1, 1, 0.5), (1, 1, 2, 0, 0.0)]
    assert graph.final.tolist() == [np.inf, 0.25]


def test_penalty_is_for_outputs_alone() -> None:
    graph = Graph.parse(TEXT, [7, 8])
    found = graph.with_penalty(0.5).costs - graph.costs
    assert found.tolist() == [0, 0.5, 0, 0, 0.5] and graph.with_penalty(0.5).costs.dtype == np.float32


def test_file(tmp_path: Path) -> None:
    graph = Graph.parse(TEXT, [7, 8])
    graph.write(tmp_path / "graph.safetensors")
    found = Graph.read(tmp_path / "graph.safetensors")
    for field in fields(Graph):
        before, after = getattr(graph, field.name), getattr(found, field.name)
        assert before.dtype == after.dtype and np.array_equal(before, after)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "missing", "other tensors"])
def test_damaged_file(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "graph.safetensors"
    Graph.parse(TEXT, [7, 8]).write(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "missing":
        path.unlink()
    elif damage == "other tensors":
        write_tensors(path, {"weights": np.zeros(3)})
    else:
        path.write_bytes(b"" if damage == "empty" else b"nonsense" * 20)
    with pytest.raises(UserError, match=r"graph\.safetensors is missing or damaged .*run the workflow again"):
        Graph.read(path)
