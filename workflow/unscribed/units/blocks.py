"""Read a frame store with bounded memory: a seeded sample, or blocks of whole utterances.

Dimensions: T frames, D features.
"""

from collections.abc import Callable, Iterator

import numpy as np

from unscribed.artifacts import FrameStore, FrameWriter
from unscribed.errors import UserError

BLOCK_FRAMES = 50_000
COLUMNS = 64


def sample_positions(store: FrameStore, count: int, seed: int) -> np.ndarray:
    """Positions of up to `count` frames drawn without replacement, in rising order, (T,) int64.

    Raises UserError if the store has no frames.
    """
    total = int(store.offsets[-1])
    if not total:
        raise UserError(f"{store.path} holds no frames: check the audio and the stages before.")
    if total <= count:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, size=count, replace=False, shuffle=False))


def blocks(store: FrameStore, frames: int = BLOCK_FRAMES) -> Iterator[tuple[int, int]]:
    """Yield (first, last + 1) numbers of utterances that hold about `frames` frames together, in order.

    What was read of a block is given back to the system after it: views into it stay valid, but are read anew.
    """
    first = 0
    while first < len(store):
        limit = store.offsets[first] + frames
        last = max(first + 1, int(np.searchsorted(store.offsets, limit, side="right")) - 1)
        yield first, last
        store.release()
        first = last


def map_store(store: FrameStore, writer: FrameWriter, function: Callable[[int, int], np.ndarray]) -> None:
    """Append `function(first, last)`, the new frames (T, D) of those utterances, utterance by utterance."""
    for first, last in blocks(store):
        frames = function(first, last)
        offsets = store.offsets[first : last + 1] - store.offsets[first]
        for number in range(first, last):
            start, end = offsets[number - first], offsets[number - first + 1]
            writer.append(store.utterances[number], frames[start:end])


def standard_deviations(frames: np.ndarray) -> np.ndarray:
    """Per-dimension standard deviation of `frames` (T, D), float32 (D,); 1 where a dimension is constant."""
    found = [np.zeros(0, dtype=np.float32)]
    for first in range(0, frames.shape[1], COLUMNS):  # the double precision of all columns at once would fill gigabytes
        part = frames[:, first : first + COLUMNS]
        deviations = part.std(axis=0, dtype=np.float64).astype(np.float32)
        found.append(np.where(deviations > 1e-6 * np.abs(part).max(axis=0, initial=0), deviations, np.float32(1)))
    return np.concatenate(found)
