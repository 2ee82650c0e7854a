import numpy as np
import pytest

from unscribed.hmm.topology import Topology, states_per_phone

PHONES = ["<SIL>", "a", "b"]
A, B = 3, 5  # first states: silence has 0, 1, 2


@pytest.fixture
def topology() -> Topology:
    return Topology(PHONES, 2)


def _frames(topology: Topology, *visits: tuple[int, int]) -> np.ndarray:
    """Transition ids of visits (state, frames) as the graphs have them: the way out comes first, then the loops."""
    ids = topology.loop_and_leave
    return np.concatenate([[ids[state, 1], *[ids[state, 0]] * (frames - 1)] for state, frames in visits])


def test_tables(topology: Topology) -> None:
    assert topology.transitions.num_pdfs == 3 + 2 + 2 and topology.transitions.num_transition_ids == 14
    assert topology.first_pdf.tolist() == [0, A, B, 7]
    loops, leaves = topology.loop_and_leave.T
    assert sorted([*loops, *leaves]) == list(range(1, 15))
    assert topology.pdf[loops].tolist() == topology.pdf[leaves].tolist() == list(range(7))
    assert topology.phone[loops].tolist() == topology.phone[leaves].tolist() == [1, 1, 1, 2, 2, 3, 3]
    assert np.flatnonzero(topology.begins).tolist() == sorted(leaves[[0, A, B]])
    assert topology.pdf[0] == topology.phone[0] == 0 and not topology.begins[0]


def test_phones_of_an_alignment(topology: Topology) -> None:
    """Silence, a, a, b: the second a is a phone of its own, since it begins in the first state again."""
    silence = [(0, 1), (1, 2), (2, 1)]
    alignment = _frames(topology, *silence, (A, 2), (A + 1, 1), (A, 1), (A + 1, 3), (B, 4), (B + 1, 1))
    phones, starts = topology.phones_of(alignment)
    assert phones == ["<SIL>", "a", "a", "b"] and starts.tolist() == [0, 4, 7, 11]
    phones, starts = topology.phones_of(np.empty(0, dtype=np.int64))
    assert len(phones) == len(starts) == 0


def test_one_state_per_phone() -> None:
    """A repeated phone differs from a long one only by the transition out of its state."""
    topology = Topology(PHONES, 1)
    phones, starts = topology.phones_of(_frames(topology, (3, 3), (3, 1), (4, 2)))
    assert phones == ["a", "a", "b"] and starts.tolist() == [0, 3, 4]


def test_counts_become_probabilities(topology: Topology) -> None:
    counts = np.zeros(15)
    loop, leave = topology.loop_and_leave[A]
    counts[[loop, leave]] = 75, 25
    found, before = np.exp(Topology(PHONES, 2, counts).transitions.log_probs), np.exp(topology.transitions.log_probs)
    assert found[loop] == pytest.approx(0.75, rel=0.01) and found[leave] == pytest.approx(0.25, rel=0.01)
    for number in topology.loop_and_leave[B]:  # never visited
        assert found[number] == before[number] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("states", "hop_ms", "expected"), [(None, 10.0, 3), (None, 12.5, 3), (None, 20.0, 1), (None, 62.5, 1), (2, 20.0, 2)]
)
def test_phones_of_long_frames_have_one_state(states: int | None, hop_ms: float, expected: int) -> None:
    assert states_per_phone(states, hop_ms) == expected


def test_the_best_score_of_each_phone(topology: Topology) -> None:
    scores = np.random.default_rng(0).normal(size=(5, len(topology.phone)))
    scores[:, 0] = 9.0  # belongs to no transition
    found = topology.best_of_phones(scores)
    for phone in range(3):
        assert np.array_equal(found[:, phone], scores[:, topology.phone == phone + 1].max(axis=1))
