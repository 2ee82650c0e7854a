import logging
from pathlib import Path

import numpy as np
import pytest

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.labels import Labelled, read_labelled
from unscribed.tables import PhoneTable

PHONES = ["<SIL>", "a", "b"]
LENGTHS = {"u0": 10, "u1": 6, "u2": 8}


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    with FrameWriter(tmp_path / "features.npy") as writer:
        for name, length in LENGTHS.items():
            writer.append(name, np.zeros((length, 2)))
    return FrameStore(tmp_path / "features.npy")


def _read(store: FrameStore, rows: dict[str, tuple[str, list[int], int]], most: int = 1000) -> list[Labelled]:
    path = store.path.with_name("labels.parquet")
    phones, starts, frames = ([row[place] for row in rows.values()] for place in range(3))
    columns = {"utterance": list(rows), "phones": [line.split() for line in phones], "starts_frames": starts}
    PhoneTable(**(columns | {"frames": frames})).write(path)
    return read_labelled(path, store, PHONES, most, 0)


ROWS = {"u2": ("a b a", [0, 3, 4], 8), "u0": ("<SIL> b", [0, 2], 10), "other": ("a", [0], 4), "u1": ("", [], 6)}


def test_labels_of_the_store(store: FrameStore, caplog: pytest.LogCaptureFixture) -> None:
    """In the store's order; utterances without phones, and those of other stores, are left out."""
    caplog.set_level(logging.INFO)
    first, second = _read(store, ROWS)
    assert (first.number, first.phone_ids.tolist(), first.starts.tolist()) == (0, [1, 3], [0, 2])
    assert (second.number, second.phone_ids.tolist(), second.starts.tolist()) == (2, [2, 3, 2], [0, 3, 4])
    assert "1 of 3 utterances have no labels" in caplog.text


@pytest.mark.parametrize(("most", "count"), [(24, 3), (23, 2), (12, 1), (1, 1)])
def test_max_frames(store: FrameStore, most: int, count: int) -> None:
    found = _read(store, ROWS | {"u1": ("a b", [0, 1], 6)}, most)
    assert len(found) == count
    numbers = [item.number for item in found]
    assert numbers == sorted(numbers)
    assert count == 1 or sum(LENGTHS[f"u{number}"] for number in numbers) <= most


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"u0": ("a <SIL> a", [0, 2, 3], 10)}, "uses one phone only: the mapping has collapsed.*more seeds"),
        ({"u0": ("<SIL>", [0], 10)}, "uses no phone: the mapping has collapsed"),
        ({"u0": ("", [], 10)}, "uses no phone"),
        ({}, "uses no phone"),
        ({"u0": ("a b ʒ", [0, 2, 3], 10)}, "has the phones ʒ, which are not in the inventory.*run its stage again"),
        ({"u0": ("a b", [0, 2], 9)}, r"u0 has 9 frames, but 10 in .*features\.npy\. .*different runs"),
        ({"other": ("a b", [0, 2], 10)}, r"names no utterance of .*features\.npy"),
    ],
)
def test_labels_that_do_not_fit(store: FrameStore, rows: dict, message: str) -> None:
    with pytest.raises(UserError, match=rf"labels\.parquet.* {message}"):
        _read(store, rows)
