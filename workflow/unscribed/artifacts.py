"""Read and write tables (Parquet), tensors (safetensors), JSON and text.

Every file is written under a temporary name and then renamed, so that a killed job leaves nothing half-written.
`unscribed.tables` defines the columns of tables, `unscribed.frames` the stores of frames.
"""

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from unscribed.errors import UserError

Pathlike = str | Path

# Remedies and causes of a failed write; CAUSES maps the system's error number to them.
ELSEWHERE = "run in another folder with `snakemake --directory FOLDER`"
NO_FOLDER = "a file has the name of one of its folders. Rename that file, or " + ELSEWHERE
FULL = "the disk is full. Free some space and start the same command again: finished stages are kept"
CAUSES = {
    errno.EACCES: "permission denied. Make its folder writable, or " + ELSEWHERE,
    errno.EPERM: "permission denied. Make its folder writable, or " + ELSEWHERE,
    errno.EROFS: "the file system is read-only: " + ELSEWHERE,
    errno.ENOTDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL.replace("the disk", "your disk quota"),
}


def temporary_beside(path: Path) -> Path:
    """Return a hidden name beside `path` for this process; remove the temporary files of killed processes.

    Snakemake runs one job at a time for a file. If a job outlives its killed workflow, its temporary file is removed
    here: it then fails when renaming it, and cannot overwrite what the new job writes.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.[0-9]*.tmp"):
        with suppress(OSError):  # in a read-only folder, writing reports the error
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
        # The block may read other files; errors with those say nothing about writing `path`.
        ours = error.filename is None or Path(os.fsdecode(error.filename)) in (temporary, *path.parents)
        if not ours or error.errno not in CAUSES:
            raise
        raise UserError(f"cannot write {path}: {CAUSES[error.errno]}.") from error
    finally:
        with suppress(OSError):  # a read-only folder has nothing to remove
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Pathlike) -> Iterator[Path]:
    """Yield a new folder beside `path`; replace `path` by it only if the block succeeds. Raises as `atomic_path`."""
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

    `columns` maps each name of `schema` to its values; `metadata` (JSON values) is stored in the file.
    Types are explicit because those of empty columns cannot be guessed.
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
    """Return the metadata that `write_table` stored."""
    found = pq.read_schema(path).metadata or {}
    return {key.decode(): json.loads(value) for key, value in found.items() if key not in (b"pandas", b"ARROW:schema")}


def write_tensors(path: Pathlike, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None) -> None:
    """Write arrays as safetensors, atomically, with `metadata` (JSON values) under the single key `json`.

    One key, because safetensors writes several in random order: equal models would give different files. Not by its
    `save_file`, which makes files that only their owner may read.
    """
    arrays = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(arrays, None if metadata is None else {"json": json.dumps(metadata)}))


@contextmanager
def readable(path: Pathlike) -> Iterator[None]:
    """Turn errors of the block, which reads the model file `path`, into UserError: it is missing or damaged."""
    try:
        yield
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is missing or damaged ({error}): delete it and run the workflow again.") from error


def read_tensors(path: Pathlike) -> tuple[dict[str, np.ndarray], Any]:
    """Read the arrays and the metadata that `write_tensors` wrote; the metadata is None if none was given.

    Raises UserError if the file is missing or damaged.
    """
    with readable(path), safe_open(path, "numpy") as file:
        metadata = (file.metadata() or {}).get("json")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is not iterable)
        return tensors, None if metadata is None else json.loads(metadata)
