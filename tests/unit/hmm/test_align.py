import itertools

import numpy as np
import pytest

from unscribed.hmm.align import align, state_sequence, transition_counts, uniform_states
from unscribed.hmm.topology import Topology

TOPOLOGY = Topology(["<SIL>", "a", "b"], 2)  # states: silence 0 1 2, a 3 4, b 5 6


def test_state_sequence() -> None:
    assert state_sequence(np.array([1, 3, 3]), TOPOLOGY).tolist() == [0, 1, 2, 5, 6, 5, 6]


def test_uniform_states() -> None:
    """Five frames of a, four of silence, one of b: states in order with equal shares; a short phone loses states."""
    found = uniform_states(np.array([2, 1, 3]), np.array([0, 5, 9]), 10, TOPOLOGY)
    assert found.tolist() == [3, 3, 3, 4, 4, 0, 0, 1, 2, 5]


@pytest.mark.parametrize(
    ("frames", "sequence"), [(5, [0, 1, 2]), (7, [2, 0, 2, 2]), (4, [1, 0, 1, 0]), (3, [1]), (1, [2])]
)
def test_agrees_with_all_paths(frames: int, sequence: list[int]) -> None:
    for seed in range(10):
        scores = np.random.default_rng(seed).normal(size=(frames, 3)).astype(np.float32)
        paths = [
            np.repeat(np.arange(len(sequence)), np.diff([0, *cuts, frames]))
            for cuts in itertools.combinations(range(1, frames), len(sequence) - 1)
        ]
        states = np.array(sequence, dtype=np.int32)
        best = max(paths, key=lambda path: scores[np.arange(frames), states[path]].sum())
        assert align(scores, states).tolist() == best.tolist()


@pytest.mark.parametrize(("frames", "size"), [(2, 3), (0, 1), (4, 0)])
def test_no_path(frames: int, size: int) -> None:
    assert len(align(np.zeros((frames, 3), dtype=np.float32), np.zeros(size, dtype=np.int32))) == 0


def test_transition_counts() -> None:
    """a a over six frames, and an utterance without a path, which counts nothing."""
    sequences = [state_sequence(np.array([2, 2]), TOPOLOGY), state_sequence(np.array([1, 3]), TOPOLOGY)]
    paths = [np.array([0, 0, 0, 1, 2, 3]), np.empty(0, dtype=np.int32)]
    counts = transition_counts(paths, sequences, TOPOLOGY)
    expected = np.zeros(15)
    (loop, leave), (_, last) = TOPOLOGY.loop_and_leave[3:5]
    expected[[loop, leave, last]] = 2, 2, 2  # state 3: three frames and one in two visits
    assert counts.tolist() == expected.tolist()
