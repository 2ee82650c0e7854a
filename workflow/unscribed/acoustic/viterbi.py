"""Time-synchronous beam search over phones with a trigram language model, compiled by numba.

Dimensions: T frames, V phones, U utterances. A state is (history, phone); history V stands for the sentence start.
"""

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np

from unscribed.text.arpa import END, START, Arpa, trigram_log_probs

IMPOSSIBLE = np.float32(-1e30)  # log score in place of -inf; lower than any path


@dataclass(frozen=True)
class DecodeSettings:
    """Section `decode` of the configuration."""

    acoustic_scale: float
    lm_weight: float
    prior_weight: float
    insertion_penalty: float
    beam: float


@dataclass(frozen=True)
class PhoneTrigrams:
    """Weighted trigram scores: `start` (V,); `next` (V + 1, V, V) [history, phone, next]; `end` (V + 1, V)."""

    start: np.ndarray
    next: np.ndarray
    end: np.ndarray

    @classmethod
    def read(cls, arpa: str | Path, phones: list[str], settings: DecodeSettings) -> "PhoneTrigrams":
        """Read an ARPA file of order 3 or more; weight and insertion penalty are applied here.

        Raises UserError if the model lacks a phone.
        """
        model, query = trigram_log_probs(arpa, phones), Arpa.read(arpa)
        first_end = np.array([[query.log_prob((START, phone), END) for phone in phones]], dtype=np.float32)
        weight = np.float32(settings.lm_weight)
        return cls(
            weight * model.start,
            weight * np.concatenate([model.next, model.second[None]]) + np.float32(settings.insertion_penalty),
            weight * np.concatenate([model.end, first_end]),
        )


def decode(scores: np.ndarray, offsets: np.ndarray, trigrams: PhoneTrigrams, beam: float) -> np.ndarray:
    """Find the best phone of every frame, (T,) int16, for utterances cut at `offsets` (U + 1,).

    `scores` (T, V) are acoustic log scores. Neighbouring frames with the same phone are one phone: no path enters the
    phone that it leaves. Hypotheses more than `beam` below the best of their frame are dropped. Raises ValueError for
    scores that are not finite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("acoustic scores are not finite")
    path = np.empty(len(scores), dtype=np.int16)
    _decode_all(
        np.ascontiguousarray(scores, dtype=np.float32),
        np.ascontiguousarray(offsets, dtype=np.int64),
        trigrams.start.astype(np.float32),
        np.ascontiguousarray(trigrams.next, dtype=np.float32),
        trigrams.end.astype(np.float32),
        np.float32(beam),
        path,
    )
    return path


@numba.njit(parallel=True, cache=True)
def _decode_all(scores, offsets, start, next_scores, end, beam, path):  # type: ignore[no-untyped-def]
    for utterance in numba.prange(len(offsets) - 1):
        first, last = offsets[utterance], offsets[utterance + 1]
        if last > first:
            path[first:last] = _decode_one(scores[first:last], start, next_scores, end, beam)


@numba.njit(cache=True)
def _decode_one(scores, start, next_scores, end, beam):  # type: ignore[no-untyped-def]
    frames, size = scores.shape
    states = (size + 1) * size
    # history of the state from which a state was entered, -1 if the phone continues; read only where it was written
    entered = np.empty((frames, states), dtype=np.int16)
    now, then = np.full(states, IMPOSSIBLE), np.full(states, IMPOSSIBLE)
    active, touched = np.empty(states, dtype=np.int64), np.empty(states, dtype=np.int64)
    count = size
    for phone in range(size):
        active[phone] = size * size + phone
        now[size * size + phone] = start[phone] + scores[0, phone]
    for frame in range(1, frames):
        best = IMPOSSIBLE
        for place in range(count):
            best = max(best, now[active[place]])
        reached = 0
        for place in range(count):
            state = active[place]
            score = now[state]
            now[state] = IMPOSSIBLE  # clears the buffer for the next frame
            if score < best - beam:
                continue
            history, phone = state // size, state % size
            if then[state] == IMPOSSIBLE:
                touched[reached] = state
                reached += 1
            if score > then[state]:
                then[state] = score
                entered[frame, state] = -1
            for follower in range(size):
                if follower != phone:
                    target = phone * size + follower
                    value = score + next_scores[history, phone, follower]
                    if value > then[target]:
                        if then[target] == IMPOSSIBLE:
                            touched[reached] = target
                            reached += 1
                        then[target] = value
                        entered[frame, target] = history
        for place in range(reached):
            then[touched[place]] += scores[frame, touched[place] % size]
        now, then = then, now
        active, touched = touched, active
        count = reached
    return _trace_back(now, active[:count], entered, end, size)


@numba.njit(cache=True)
def _trace_back(final, active, entered, end, size):  # type: ignore[no-untyped-def]
    state, best = active[0], IMPOSSIBLE
    for candidate in active:
        value = final[candidate] + end[candidate // size, candidate % size]
        if value > best:
            state, best = candidate, value
    path = np.empty(len(entered), dtype=np.int16)
    for frame in range(len(entered) - 1, -1, -1):
        path[frame] = state % size
        if frame and entered[frame, state] >= 0:
            state = entered[frame, state] * size + state // size
    return path
