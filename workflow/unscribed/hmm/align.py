"""Forced alignment of frames to a known sequence of HMM states, compiled by numba.

Dimensions: T frames, N states of an utterance's sequence, U utterances, P states of all phones (pdfs).
"""

import numba
import numpy as np

from unscribed.hmm.topology import SILENCE_STATES, Topology


def state_sequence(phones: np.ndarray, topology: Topology) -> np.ndarray:
    """Return the states (pdfs) of a sequence of phone ids, (N,)."""
    first = topology.first_pdf
    return np.concatenate([np.arange(first[phone - 1], first[phone]) for phone in phones]).astype(np.int32)


def uniform_states(phones: np.ndarray, starts: np.ndarray, frames: int, topology: Topology) -> np.ndarray:
    """Return the states of all frames, (T,), with each phone's frames divided equally among its states."""
    states = np.empty(frames, dtype=np.int32)
    for phone, start, end in zip(phones, [0, *starts[1:]], [*starts[1:], frames], strict=True):
        size = SILENCE_STATES if phone == 1 else topology.states
        within = np.arange(end - start) * size // max(end - start, 1)
        states[start:end] = topology.first_pdf[phone - 1] + within
    return states


@numba.njit(cache=True, nogil=True)
def align(log_likelihoods: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """Find the best path through `sequence` (N,), at least one frame per state; return its position per frame, (T,).

    `log_likelihoods` is (T, P). Empty if there are fewer frames than states.
    """
    frames, size = len(log_likelihoods), len(sequence)
    if frames < size or not size:
        return np.empty(0, dtype=np.int32)
    totals = np.full(size, -np.inf, dtype=np.float32)
    advanced = np.zeros((frames, size), dtype=np.bool_)
    totals[0] = log_likelihoods[0, sequence[0]]
    for frame in range(1, frames):
        for place in range(min(frame, size - 1), -1, -1):
            if place and totals[place - 1] > totals[place]:
                totals[place] = totals[place - 1]
                advanced[frame, place] = True
            totals[place] += log_likelihoods[frame, sequence[place]]
    path = np.empty(frames, dtype=np.int32)
    place = size - 1
    for frame in range(frames - 1, -1, -1):
        path[frame] = place
        if advanced[frame, place]:
            place -= 1
    return path


def transition_counts(paths: list[np.ndarray], sequences: list[np.ndarray], topology: Topology) -> np.ndarray:
    """Count how often each transition id occurs in the alignments, (I + 1,) float64."""
    frames = np.zeros(topology.transitions.num_pdfs)
    visits = np.zeros(topology.transitions.num_pdfs)
    for path, sequence in zip(paths, sequences, strict=True):
        if len(path):
            np.add.at(frames, sequence[path], 1)
            np.add.at(visits, sequence, 1)
    counts = np.zeros(topology.transitions.num_transition_ids + 1)
    counts[topology.loop_and_leave[:, 0]] = frames - visits
    counts[topology.loop_and_leave[:, 1]] = visits
    return counts
