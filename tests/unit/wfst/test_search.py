"""Decoding of a store whose frames are the scores, without an acoustic model."""

import logging
from pathlib import Path

import numpy as np
import pytest

from unscribed.frames import FrameStore, FrameWriter
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import RETRY_FACTOR, SearchSettings, decode_store, log_failed
from unscribed.wfst.weights import Weights

WIDE = SearchSettings(beam=1e6, max_active=1000)
PLAIN = Weights(1.0, 0.0)


class AsTheyAre:
    """A scorer that returns the frames of the store as scores of the labels 1, 2, …"""

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        return np.pad(store[number], ((0, 0), (1, 0)))


def store_of(path: Path, *utterances: list[list[float]]) -> FrameStore:
    with FrameWriter(path / "scores.npy") as writer:
        for number, frames in enumerate(utterances):
            writer.append(f"u{number}", np.array(frames, dtype=np.float32))
    return FrameStore(path / "scores.npy")


def test_chosen_utterances_come_in_order_whatever_the_threads(tmp_path: Path) -> None:
    """A graph that puts out each frame's label."""
    graph = Graph.parse("0 0 1 1\n0 0 2 2\n0\n", [])
    best = np.random.default_rng(0).integers(2, size=(30, 5))
    store = store_of(tmp_path, *(np.where(row[:, None] == [0, 1], 0.0, -9.0).tolist() for row in best))
    chosen = list(range(29, 0, -3))
    for threads in (1, 3):
        found = decode_store(AsTheyAre(), store, graph, PLAIN, WIDE, threads, chosen)
        assert [lattice.symbols().tolist() for lattice in found] == (best[chosen] + 1).tolist()


def test_weights_divide_the_acoustics_and_charge_each_output(tmp_path: Path) -> None:
    """Three ways for one frame: output 1 (sound 0, graph 3), 2 (4 and 0), or 3 and 4 (1 and 1)."""
    graph = Graph.parse("0 1 1 1 3\n0 1 2 2\n0 2 3 3 1\n2 1 0 4\n1\n", [])
    store = store_of(tmp_path, [[0.0, -4.0, -1.0]])

    def decoded(weight: float, penalty: float) -> list[int]:
        (lattice,) = decode_store(AsTheyAre(), store, graph, Weights(weight, penalty), WIDE, 1, [0])
        return lattice.symbols().tolist()

    assert decoded(1.0, 0.0) == [3, 4]  # costs 3, 4 and 2
    assert decoded(1.0, 2.0) == [1]  # 5, 6 and 6
    assert decoded(2.0, 2.0) == [2]  # 5, 4 and 5.5
    assert decoded(2.0, -1.0) == [3, 4]  # 2, 1 and -0.5


@pytest.mark.parametrize(("worse", "found"), [(2.5, True), (20.0, False)])
def test_a_search_without_a_path_is_repeated_once_with_a_wider_beam(tmp_path: Path, worse: float, found: bool) -> None:
    """Only label 2, which costs more in the first frame, leads to an end; the beam is 1, then RETRY_FACTOR times 1."""
    graph = Graph.parse("0 1 1 1\n1 1 1 0\n0 2 2 2\n2 2 1 0\n2\n", [])
    store = store_of(tmp_path, [[0.0, -worse], [0.0, 0.0]])
    assert search(graph, AsTheyAre().scores(store, 0), 1.0, 1000, 0.0) is None
    (lattice,) = decode_store(AsTheyAre(), store, graph, PLAIN, SearchSettings(1.0, 1000), 1, [0])
    assert (lattice is not None) == found == (worse < RETRY_FACTOR)
    if found:
        assert lattice.symbols().tolist() == [2]


def test_failures_are_logged_with_examples(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    log_failed([])
    assert not caplog.text
    log_failed([f"u{number}" for number in range(7)])
    assert "7 utterances without a path, for example u0, u1, u2, u3, u4" in caplog.text and "u5" not in caplog.text
