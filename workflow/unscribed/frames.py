"""Frame stores: written utterance by utterance, read memory-mapped, processed block by block in bounded memory.

``NAME.npy`` holds the frames of all utterances, one after the other, in C order; ``NAME.parquet`` is its index
(utterance, offset, frames).
Dimensions: T frames (of one utterance, a block or the store), D features.
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

HEADER_BYTES = 128  # reserved for the .npy header, which holds the length and is written last; a multiple of 64
BLOCK_FRAMES = 50_000  # read before their memory is released: 20 MB of 100 float32 features; less is slower
DIMS_AT_ONCE = 64  # of the standard deviations: more are faster, but all at once in float64 would fill gigabytes


class FrameTable(Table):
    """Index of a frame store: the number of each utterance's first frame, and its number of frames."""

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
        with ExitStack() as stack:  # an error below still removes the temporary file
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
    """Read a frame store, memory-mapped. Raises UserError if a file is missing, damaged or does not fit the other.

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

    @classmethod
    def in_memory(cls, frames: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "FrameStore":
        """Make a store of the frames (T, D) of at least one utterance, without files."""
        store = cls.__new__(cls)
        store.path, store.metadata, store.utterances = Path("memory"), dict(metadata), list(frames)
        store.lengths = np.array([len(rows) for rows in frames.values()], dtype=np.int64)
        store.offsets = np.concatenate([[0], np.cumsum(store.lengths)])
        store.data = np.concatenate(list(frames.values()))
        return store

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the frames of utterance number `index`, (T, D), without copying them."""
        return self.data[self.offsets[index] : self.offsets[index + 1]]

    def release(self) -> None:
        """Release the memory of the frames read so far; they stay valid and are read from disk again when used."""
        mapped = getattr(self.data, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for index, utterance in enumerate(self.utterances):
            yield utterance, self[index]


def sample_positions(store: FrameStore, count: int, seed: int) -> np.ndarray:
    """Draw up to `count` frames without replacement; return their positions in rising order, (T,) int64.

    Raises UserError if the store has no frames.
    """
    total = int(store.offsets[-1])
    if not total:
        raise UserError(f"{store.path} has no frames: check the audio and the logs of the stages before.")
    if total <= count:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, size=count, replace=False, shuffle=False))


def blocks(store: FrameStore, frames: int = BLOCK_FRAMES) -> Iterator[tuple[int, int]]:
    """Yield the ranges of utterance numbers, (first, stop), that split the store into blocks, in order.

    A block has at most `frames` frames, or one utterance that is longer. Its memory is released after it.
    """
    first = 0
    while first < len(store):
        limit = store.offsets[first] + frames
        stop = max(first + 1, int(np.searchsorted(store.offsets, limit, side="right")) - 1)
        yield first, stop
        store.release()
        first = stop


def map_store(store: FrameStore, writer: FrameWriter, function: Callable[[int, int], np.ndarray]) -> None:
    """Write a store of the same lengths: `function(first, stop)` returns the new frames (T, D) of a block."""
    for first, stop in blocks(store):
        frames = function(first, stop)
        offsets = store.offsets[first : stop + 1] - store.offsets[first]
        for number in range(first, stop):
            start, end = offsets[number - first], offsets[number - first + 1]
            writer.append(store.utterances[number], frames[start:end])


def standard_deviations(frames: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each dimension of `frames` (T, D), float32 (D,); 1 for constant ones."""
    found = [np.zeros(0, dtype=np.float32)]
    for first in range(0, frames.shape[1], DIMS_AT_ONCE):
        part = frames[:, first : first + DIMS_AT_ONCE]
        deviations = part.std(axis=0, dtype=np.float64).astype(np.float32)
        found.append(np.where(deviations > 1e-6 * np.abs(part).max(axis=0, initial=0), deviations, np.float32(1)))
    return np.concatenate(found)
