"""Tables, frame stores and JSON files: the one place that knows the file formats.

Table: Parquet, first column ``utterance`` (or the item's name), units in the column names.
Frame store: ``NAME.npy`` (frames, dims), C order, plus ``NAME.parquet`` (utterance, offset, frames).
Model: safetensors.
Everything is written under a temporary name and renamed, so that a killed job leaves nothing half-written.

Dimensions: T frames, D features.
"""

import errno
import glob
import json
import mmap
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from unscribed.errors import UserError

Pathlike = str | Path
HEADER_BYTES = 128  # room for the .npy header of a store whose length is not known yet

ELSEWHERE = "run in another folder with `snakemake --directory FOLDER`"
NO_FOLDER = "a file has the name of a folder on the way to it. Rename that file, or " + ELSEWHERE
FULL = "the disk is full. Free some space and start the same command again: finished stages are kept"
CAUSES = {
    errno.EACCES: "permission denied. Make its folder writable, or " + ELSEWHERE,
    errno.EPERM: "permission denied. Make its folder writable, or " + ELSEWHERE,
    errno.EROFS: "the file system is read-only: " + ELSEWHERE,
    errno.ENOTDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL.replace("the disk", "your quota of the disk"),
}


def temporary_beside(path: Path) -> Path:
    """Return a hidden name beside `path` for this process, and remove what killed ones have left of theirs.

    Snakemake runs one job at a time for a file. If a job outlives its killed workflow, it loses its temporary here and
    fails at the renaming, so that it cannot overwrite what the new job makes.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.[0-9]*.tmp"):
        with suppress(OSError):  # a folder that cannot be written is reported by the writing
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextmanager
def atomic_path(path: Pathlike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` only if the block succeeds.

    Raises UserError if `path` cannot be written: no permission, read-only or full disk, a file in place of a folder.
    """
    path = Path(path)
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        # The block may read other files: what is wrong with those is none of this file's causes.
        ours = error.filename is None or Path(os.fsdecode(error.filename)) in (temporary, *path.parents)
        if not ours or error.errno not in CAUSES:
            raise
        raise UserError(f"cannot write {path}: {CAUSES[error.errno]}.") from error
    finally:
        with suppress(OSError):  # a folder that cannot be written has nothing to remove
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Pathlike) -> Iterator[Path]:
    """Yield a new folder beside `path`; it takes the place of `path` only if the block succeeds. Raises as above."""
    path = Path(path)
    with atomic_path(path) as temporary:
        try:
            temporary.mkdir()
            yield temporary
            if path.exists():
                shutil.rmtree(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def write_json(path: Pathlike, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Pathlike) -> Any:
    """Read a JSON file written by `write_json`."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_lines(path: Pathlike, lines: Sequence[str]) -> None:
    """Write text lines as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_table(
    path: Pathlike,
    columns: Mapping[str, Sequence[Any]],
    schema: Sequence[tuple[str, pa.DataType]],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a table as Parquet with the given column types, atomically.

    `columns` maps each name of `schema` to its values; `metadata` (JSON values) travels in the file's schema.
    The explicit types keep an empty table readable.
    """
    table = pa.table(
        {name: pa.array(columns[name], type=kind) for name, kind in schema},
        metadata={key: json.dumps(value) for key, value in (metadata or {}).items()},
    )
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_table(path: Pathlike) -> pd.DataFrame:
    """Read a Parquet table; list columns become numpy arrays. Raises UserError if it is missing or damaged."""
    try:
        return pq.read_table(path, partitioning=None).to_pandas()
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: run the stage that makes it first.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run the stage again.") from error


def read_metadata(path: Pathlike) -> dict[str, Any]:
    """Return the JSON metadata that `write_table` stored."""
    found = pq.read_schema(path).metadata or {}
    return {key.decode(): json.loads(value) for key, value in found.items() if key not in (b"pandas", b"ARROW:schema")}


def write_tensors(path: Pathlike, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None) -> None:
    """Write arrays as safetensors, atomically, with `metadata` (JSON values) under the single key `json`.

    One key, because safetensors writes several in random order: the same model would not give the same file. And not
    its `save_file`, whose files only their owner may read.
    """
    arrays = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(arrays, None if metadata is None else {"json": json.dumps(metadata)}))


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
            write_table(
                self.path.with_suffix(".parquet"),
                {
                    "utterance": self.utterances,
                    "offset": np.cumsum([0, *self.lengths[:-1]])[: len(self.lengths)],
                    "frames": self.lengths,
                },
                [("utterance", pa.string()), ("offset", pa.int64()), ("frames", pa.int64())],
                self.metadata,
            )

    def _header(self) -> bytes:
        """The version 1.0 .npy header, padded to HEADER_BYTES."""
        shape = (sum(self.lengths), self.dims or 0)
        text = f"{{'descr': '{self.dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
        room = HEADER_BYTES - 10 - 1
        return b"\x93NUMPY\x01\x00" + (room + 1).to_bytes(2, "little") + text.ljust(room).encode() + b"\n"


class FrameStore:
    """Read a frame store, memory-mapped.

    Attributes: `data` (T, D) all frames; `utterances`; `offsets` (number of utterances + 1,) in frames; `metadata`.
    """

    def __init__(self, path: Pathlike) -> None:
        self.path = Path(path)
        index = read_table(self.path.with_suffix(".parquet"))
        self.metadata = read_metadata(self.path.with_suffix(".parquet"))
        self.utterances: list[str] = index["utterance"].tolist()
        self.offsets = np.concatenate([[0], np.cumsum(index["frames"].to_numpy())]).astype(np.int64)
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
