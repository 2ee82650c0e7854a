"""Frame stores: written utterance by utterance, read memory-mapped, walked through with bounded memory.

``NAME.npy`` holds the frames of all utterances (frames, dims) in C order, ``NAME.parquet`` says which are whose
(utterance, offset, frames).
Dimensions: T frames, D features.
"""

import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np

from unscribed.artifacts import Pathlike, atomic_path, read_metadata
from unscribed.errors import UserError
from unscribed.tables import TEXT, WHOLE, Table

HEADER_BYTES = 128  # room for the .npy header of a store whose length is not known yet
BLOCK_FRAMES = 50_000
COLUMNS = 64


class FrameTable(Table):
    """Which frames of a store are whose: the number of an utterance's first frame, and how many it has."""

    SCHEMA: ClassVar = {"utterance": TEXT, "offset": WHOLE, "frames": WHOLE}


class FrameWriter:
    """Write a frame store utterance by utterance; memory does not grow with the corpus.

    Use as a context manager; the files appear only when the block ends without an error.
    """

    def __init__(self, path: Pathlike, metadata: Mapping[str, Any] | None = None, dtype: str = "float32") -> None:
        self.path = Path(path)
        self.dtype = np.dtype(dtype)
        self.metadata = dict(metadata or {})
        self.utterances: list[str] = []
        self.lengths: list[int] = []
        self.dims: int | None = None

    def __enter__(self) -> "FrameWriter":
        with ExitStack() as stack:  # an error in here still passes through atomic_path
            temporary = stack.enter_context(atomic_path(self.path))
            self._file = stack.enter_context(open(temporary, "wb"))
            self._file.write(b"\0" * HEADER_BYTES)
            self._stack = stack.pop_all()
        return self

    def append(self, utterance: str, frames: np.ndarray) -> None:
        """Add one utterance, (T, D). Raises ValueError if D differs from the first utterance's."""
        if self.dims is None:
            self.dims = frames.shape[1]
        if frames.shape[1] != self.dims:
            raise ValueError(f"{utterance}: {frames.shape[1]} dimensions, the store has {self.dims}")
        self._file.write(np.ascontiguousarray(frames, dtype=self.dtype).tobytes())
        self.utterances.append(utterance)
        self.lengths.append(len(frames))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._file.seek(0)
            self._file.write(self._header())
            self._file.flush()
            offsets = np.cumsum([0, *self.lengths[:-1]])[: len(self.lengths)]
            index = FrameTable(utterance=self.utterances, offset=offsets, frames=self.lengths)
            index.write(self.path.with_suffix(".parquet"), self.metadata)

    def _header(self) -> bytes:
        """The version 1.0 .npy header, padded to HEADER_BYTES."""
        shape = (sum(self.lengths), self.dims or 0)
        text = f"{{'descr': '{self.dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
        room = HEADER_BYTES - 10 - 1
        return b"\x93NUMPY\x01\x00" + (room + 1).to_bytes(2, "little") + text.ljust(room).encode() + b"\n"


class FrameStore:
    """Read a frame store, memory-mapped.

    Attributes: `data` (T, D) all frames; `utterances`; `lengths` (number of utterances,) and `offsets` (one more) in
    frames, int64; `metadata`.
    """

    def __init__(self, path: Pathlike) -> None:
        self.path = Path(path)
        index = FrameTable.read(self.path.with_suffix(".parquet"))
        self.metadata = read_metadata(self.path.with_suffix(".parquet"))
        self.utterances: list[str] = index["utterance"].tolist()
        self.lengths = index["frames"].to_numpy(dtype=np.int64)
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        try:
            empty = self.offsets[-1] == 0
            self.data: np.ndarray = np.load(self.path, mmap_mode=None if empty else "r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{self.path} is missing or damaged ({error}): run its stage again.") from error
        frames = int(self.offsets[-1])
        if len(self.data) != frames:
            raise UserError(f"{self.path} has {len(self.data)} frames, its index {frames}: run its stage again.")

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> np.ndarray:
        """Frames of utterance number `index`, (T, D), without copying."""
        return self.data[self.offsets[index] : self.offsets[index + 1]]

    def release(self) -> None:
        """Give the pages read so far back to the system, so that a walk through a large store stays small in memory."""
        mapped = getattr(self.data, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for index, utterance in enumerate(self.utterances):
            yield utterance, self[index]


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
