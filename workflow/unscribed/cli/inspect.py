"""`unscribed inspect`: what an artifact of the workflow holds, as lines of text, and frames as a picture."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.recogniser.folder import CARD

WIDTH = 100  # characters of a value that are shown
MOST_KEYS = 40  # of a JSON file
SAMPLED_FRAMES = 100_000  # of a frame store, for its ranges


def describe(path: Path, rows: int) -> list[str]:
    """Return lines that describe a file, or a folder and its files; `rows` of tables and texts are shown.

    Raises UserError if it is missing, damaged or of another kind.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: check the path, or run the stage that makes it.")
    if path.is_dir():
        return list(_folder(path))
    kinds = {".parquet": _table, ".npy": _frames, ".safetensors": _tensors, ".json": _json}
    try:
        return list(kinds.get(path.suffix, _text)(path, rows))
    except (OSError, ValueError, pa.ArrowException, SafetensorError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged, or of no kind that the workflow makes ({error}).") from error


def draw(path: Path, picture: Path) -> None:
    """Write the frames of a store's first utterance as a PNG, time to the right. Raises UserError for another file."""
    if path.suffix != ".npy":
        raise UserError(f"{path} is no frame store (NAME.npy): --picture shows frames.")
    from unscribed.figures.style import plt, save, style  # matplotlib takes a second to load

    store = FrameStore(path)
    with style():
        drawing, axes = plt.subplots(figsize=(9, 3), layout="constrained")
        frames = np.asarray(store[0], dtype=np.float32)
        axes.imshow(frames.T, origin="lower", aspect="auto", interpolation="nearest")
        axes.set(xlabel="frame", ylabel="feature", title=store.utterances[0])
        save(drawing, picture)


def _folder(path: Path) -> Iterator[str]:
    """Files of a folder with their sizes; of a recogniser, what it is."""
    if (path / CARD).is_file():
        yield from _json(path / CARD, 0)
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        yield f"{_size(file.stat().st_size):>9}  {file.relative_to(path)}"


def _table(path: Path, rows: int) -> Iterator[str]:
    """Columns with their types and ranges, then the first rows."""
    table = pq.read_table(path)
    yield f"table: {table.num_rows:,} rows, {_size(path.stat().st_size)}"
    for key, value in (table.schema.metadata or {}).items():
        if key not in (b"pandas", b"ARROW:schema"):
            yield f"  {key.decode()}: {_short(value.decode())}"
    for name in table.column_names:
        yield f"  {name:<24} {table.schema.field(name).type!s:<14} {_range(table.column(name))}"
    for number, row in enumerate(table.slice(0, rows).to_pylist()):
        yield f"row {number}"
        yield from (f"  {name}: {_short(value)}" for name, value in row.items())


def _range(column: pa.ChunkedArray) -> str:
    """Smallest and largest value of numbers, lengths of lists, the number of different texts."""
    if not len(column):
        return ""
    if pa.types.is_list(column.type):
        lengths = [len(value) for value in column.to_pylist() if value is not None]
        return f"lists of {min(lengths)} to {max(lengths)}" if lengths else "null"
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = np.array([value for value in column.to_pylist() if value is not None], dtype=np.float64)
        return f"{values.min():g} to {values.max():g}, mean {values.mean():g}" if len(values) else "null"
    return f"{len(column.unique()):,} different"


def _frames(path: Path, _: int) -> Iterator[str]:
    """Sizes of a frame store and the range of its values."""
    store = FrameStore(path)
    frames, dims = store.data.shape if store.data.ndim == 2 else (len(store.data), 1)
    hop = store.metadata.get("hop_ms")
    length = f", {frames * hop / 3_600_000:.2f} h" if hop else ""
    yield f"frame store: {len(store):,} utterances, {frames:,} frames of {dims} {store.data.dtype}{length}"
    yield from (f"  {key}: {_short(value)}" for key, value in store.metadata.items())
    if frames:
        yield f"  frames of an utterance: {store.lengths.min()} to {store.lengths.max()}"
        values = np.asarray(store.data[:SAMPLED_FRAMES], dtype=np.float64)
        yield f"  values: {values.min():g} to {values.max():g}, mean {values.mean():g}, deviation {values.std():g}"


def _tensors(path: Path, _: int) -> Iterator[str]:
    """Names, types and sizes of tensors."""
    with safe_open(path, "np") as file:
        names = list(file.keys())
        yield f"tensors: {len(names)}, {_size(path.stat().st_size)}"
        about = file.metadata() or {}
        if "json" in about:  # as all files of the workflow have it
            about = json.loads(about["json"])
        yield from (f"  {key}: {_short(value)}" for key, value in (about or {}).items())
        for name in names:
            part = file.get_slice(name)
            yield f"  {name:<32} {part.get_dtype():<6} {' × '.join(map(str, part.get_shape()))}"


def _json(path: Path, _: int) -> Iterator[str]:
    """Keys and values."""
    content: Any = json.loads(path.read_text(encoding="utf-8"))
    items = list(content.items()) if isinstance(content, dict) else [("value", content)]
    yield from (f"  {key}: {_short(value)}" for key, value in items[:MOST_KEYS])
    if len(items) > MOST_KEYS:
        yield f"  … and {len(items) - MOST_KEYS} more"


def _text(path: Path, rows: int) -> Iterator[str]:
    """Number of lines, and the first ones."""
    lines = path.read_text(encoding="utf-8").splitlines()
    yield f"text: {len(lines):,} lines, {_size(path.stat().st_size)}"
    yield from (f"  {_short(line)}" for line in lines[:rows])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _size(number: int) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
