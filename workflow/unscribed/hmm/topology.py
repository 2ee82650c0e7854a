"""Left-to-right HMMs of phones: Kaldi's topology and transition model, and tables to read its alignments.

Phone ids count from 1 in the order of the inventory, so that `<SIL>` is 1; 0 is epsilon.
Dimensions: T frames, V phones, I transition ids, P states of all phones (pdfs).
"""

from dataclasses import dataclass
from functools import cached_property

import kaldi_hmm_gmm as khg
import kaldifst  # noqa: F401  (defines the graph types that kaldi_hmm_gmm takes and gives)
import numpy as np

SILENCE_STATES = 3  # at least three frames per silence
LONG_HOP_MS = 20.0  # at which a phone has one state: with three, none could be shorter than 60 ms
SELF_LOOP_SCALE = 0.1  # Kaldi's default: durations count little beside the acoustics


@dataclass(frozen=True)
class Topology:
    """HMMs of `phones`, `states` in a row each (silence has 3), every state with a self loop and no skips.

    `counts` (I + 1,) are the transitions counted in an alignment, from which the probabilities come; None: all 0.5.
    """

    phones: list[str]
    states: int
    counts: np.ndarray | None = None

    @cached_property
    def hmms(self) -> khg.HmmTopology:
        topology = khg.HmmTopology()
        others = range(2, len(self.phones) + 1)
        entries = _entry([1], SILENCE_STATES) + _entry(list(others), self.states)
        topology.read(f"<Topology>\n{entries}</Topology>\n")
        return topology

    @cached_property
    def context(self) -> khg.ContextDependency:
        """Monophones: the wheels cannot grow a tree of contexts."""
        return khg.monophone_context_dependency(list(self.hmms.phones), self.hmms.get_phone_to_num_pdf_classes())

    @cached_property
    def transitions(self) -> khg.TransitionModel:
        model = khg.TransitionModel(self.context, self.hmms)
        if self.counts is not None:
            model.mle_update(np.asarray(self.counts, dtype=np.float64), khg.MleTransitionUpdateConfig())
        return model

    @cached_property
    def pdf(self) -> np.ndarray:
        """State of each transition id, (I + 1,); id 0 does not exist."""
        return self._table(self.transitions.transition_id_to_pdf)

    @cached_property
    def phone(self) -> np.ndarray:
        """Phone of each transition id, (I + 1,)."""
        return self._table(self.transitions.transition_id_to_phone)

    @cached_property
    def begins(self) -> np.ndarray:
        """Whether a transition id is the first frame of a phone, (I + 1,): it leaves the first state (Kaldi's
        reordered transitions: a state's self loops follow the transition out of it)."""
        first = self.first_pdf[np.maximum(self.phone - 1, 0)]
        loops = self._table(self.transitions.is_self_loop).astype(bool)
        return (self.pdf == first) & ~loops & (np.arange(len(loops)) > 0)

    def best_of_phones(self, scores: np.ndarray) -> np.ndarray:
        """Return the best score of each phone by frame, (T, V), of scores by transition id, (T, I + 1)."""
        firsts = np.searchsorted(self.phone[1:], np.arange(1, len(self.phones) + 1))  # ids are in the order of phones
        return np.maximum.reduceat(scores[:, 1:], firsts, axis=1)

    @cached_property
    def first_pdf(self) -> np.ndarray:
        """The first state of each phone, (V + 1,) with the number of all states at the end."""
        return np.concatenate([[0], SILENCE_STATES + self.states * np.arange(len(self.phones))])

    @cached_property
    def loop_and_leave(self) -> np.ndarray:
        """The two transition ids of each state, (P, 2): its self loop and its exit."""
        ids = np.zeros((self.transitions.num_pdfs, 2), dtype=np.int32)
        for number in range(1, self.transitions.num_transition_ids + 1):
            way = 0 if self.transitions.is_self_loop(number) else 1
            ids[self.transitions.transition_id_to_pdf(number), way] = number
        return ids

    def phones_of(self, alignment: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Phones and their first frames in an alignment of transition ids (T,)."""
        starts = np.flatnonzero(self.begins[alignment])
        return [self.phones[number - 1] for number in self.phone[alignment[starts]]], starts

    def _table(self, lookup) -> np.ndarray:  # type: ignore[no-untyped-def]  (a method of the extension)
        return np.array([0] + [lookup(number) for number in range(1, self.transitions.num_transition_ids + 1)])


def states_per_phone(states: int | None, hop_ms: float) -> int:
    """Return `hmm.states`, or where it is None what suits frames every `hop_ms`: 3 as in Kaldi, 1 from 20 ms on."""
    return states or (3 if hop_ms < LONG_HOP_MS else 1)


def _entry(phones: list[int], states: int) -> str:
    rows = "".join(
        f"<State> {state} <PdfClass> {state} <Transition> {state} 0.5 <Transition> {state + 1} 0.5 </State>\n"
        for state in range(states)
    )
    names = " ".join(map(str, phones))
    return f"<TopologyEntry>\n<ForPhones>\n{names}\n</ForPhones>\n{rows}<State> {states} </State>\n</TopologyEntry>\n"
