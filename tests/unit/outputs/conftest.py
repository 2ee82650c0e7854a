"""A word decoding of three utterances, small enough to check by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unscribed.tables import ManifestTable, VadTable, WordTable

KINDS = {"words": WordTable, "vad": VadTable, "manifest": ManifestTable}
# Speech of "a": 0.1-0.3 s and 0.5-0.6 s of the original, 30 frames; of "b/c": 0-0.2 s and 1.0-1.2 s, 40 frames.
WORDS = [
    (
        *("a", ["tea", "so"], [2, 20], [18, 9], [0.5, 0.75]),
        *(["<SIL>", "t", "iː", "s", "s", "<SIL>"], [0, 2, 10, 20, 26, 29], 30),
        *(["tea so", "so"], [-1.0, -2.5], "ok"),
    ),
    ("b/c", ["o'é"], [10], [25], [1.0], ["o", "e"], [10, 15], 40, ["o'é"], [-1.0], "ok"),
    ("lost", [], [], [], [], [], [], 12, [], [], "no_path"),
    ("still", [], [], [], [], ["<SIL>"], [0], 10, [""], [-1.0], "ok"),
]
VAD = [
    ("a", [1600, 8000], [4800, 9600], 0.3, 0.7),
    ("b/c", [0, 16000], [3200, 19200], 0.4, 1.25),
    ("lost", [0], [1920], 0.12, 0.5),
    ("still", [0], [1600], 0.1, 0.4),
]
MANIFEST = [(name, f"audio/{name}.flac", 16000, 1, 24000, 1.5, 0.0) for name in ("still", "lost", "b/c", "a")]


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str, list[tuple]], Path]:
    """Write rows as a table of one of the kinds above."""

    def write(kind: str, rows: list[tuple]) -> Path:
        path = tmp_path / f"{kind}.parquet"
        KINDS[kind].from_rows(rows).write(path)
        return path

    return write


@pytest.fixture
def decoded(table: Any) -> dict[str, Path]:
    """The paths of words, vad and manifest."""
    return {"words": table("words", WORDS), "vad": table("vad", VAD), "manifest": table("manifest", MANIFEST)}
