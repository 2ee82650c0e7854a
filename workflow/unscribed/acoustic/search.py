"""Decoding with acoustic model and beam search, in blocks of utterances: memory does not grow with the corpus.

Dimensions: T frames, V phones.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numba
import numpy as np

from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams, decode
from unscribed.frames import FrameStore, blocks


class FrameClassifier(Protocol):
    """A model with a posterior of each of its `phones` for every frame of a store."""

    phones: Sequence[str]

    def log_posteriors(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Compute log P(phone | frames) of the utterances `first` … `last` - 1, (T, V) float32."""
        ...

    def scores(self, log_posteriors: np.ndarray, settings: DecodeSettings) -> np.ndarray:
        """Compute scaled log likelihoods up to a constant, (T, V)."""
        ...


def decode_utterances(
    model: FrameClassifier,
    store: FrameStore,
    trigrams: PhoneTrigrams,
    settings: DecodeSettings,
    threads: int,
    chosen: np.ndarray | None = None,
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Yield (first, last + 1, log posteriors (T, V), phone per frame (T,)) for runs of utterances, in order.

    `chosen` (sorted numbers) limits the work to those utterances.
    """
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    for first, last in blocks(store) if chosen is None else _chosen_blocks(store, chosen):
        log_posteriors = model.log_posteriors(store, first, last)
        offsets = store.offsets[first : last + 1] - store.offsets[first]
        path = decode(model.scores(log_posteriors, settings), offsets, trigrams, settings.beam)
        yield first, last, log_posteriors, path


def _chosen_blocks(store: FrameStore, chosen: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (first, last + 1) of runs of chosen utterances, none longer than a block of `store`."""
    wanted = np.zeros(len(store) + 1, dtype=bool)
    wanted[chosen] = True
    for first, last in blocks(store):
        flags = np.concatenate([[False], wanted[first:last], [False]])
        edges = np.flatnonzero(flags[1:] != flags[:-1]) + first
        yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
