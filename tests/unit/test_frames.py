import errno
import os
from pathlib import Path

import numpy as np
import pytest

from unscribed.artifacts import read_table
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter

FRAMES = {"u1": np.arange(6).reshape(3, 2), "u2": np.zeros((0, 2)), "u3": np.full((1, 2), 0.5)}


def write_store(path: Path, dtype: str = "float32") -> None:
    with FrameWriter(path, {"hop_ms": 10.0}, dtype) as writer:
        for utterance, frames in FRAMES.items():
            writer.append(utterance, frames)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
def test_frame_store_round_trip(tmp_path: Path, dtype: str) -> None:
    write_store(tmp_path / "store.npy", dtype)
    store = FrameStore(tmp_path / "store.npy")
    assert len(store) == 3 and store.utterances == ["u1", "u2", "u3"]
    assert store.lengths.tolist() == [3, 0, 1] and store.offsets.tolist() == [0, 3, 3, 4]
    assert store.metadata == {"hop_ms": 10.0} and store.lengths.dtype == np.int64
    for utterance, frames in store:
        assert frames.dtype == dtype and frames.shape == FRAMES[utterance].shape
        assert np.array_equal(frames, FRAMES[utterance].astype(dtype))
    store.release()
    assert store[2].tolist() == FRAMES["u3"].astype(dtype).tolist()
    assert read_table(tmp_path / "store.parquet")["offset"].tolist() == [0, 3, 3]


def test_numpy_alone_opens_a_store(tmp_path: Path) -> None:
    write_store(tmp_path / "store.npy")
    for mode in (None, "r"):
        data = np.load(tmp_path / "store.npy", mmap_mode=mode, allow_pickle=False)
        assert data.shape == (4, 2) and data.flags.c_contiguous
        assert data.tolist() == [[0, 1], [2, 3], [4, 5], [0.5, 0.5]]


def test_empty_stores(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "a.npy"):
        pass
    store = FrameStore(tmp_path / "a.npy")
    assert len(store) == 0 and list(store) == [] and store.data.shape == (0, 0)
    with FrameWriter(tmp_path / "b.npy") as writer:
        writer.append("u", np.zeros((0, 7)))
    store = FrameStore(tmp_path / "b.npy")
    assert store[0].shape == (0, 7)
    store.release()


def test_utterances_of_other_widths_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="u2: 3 dimensions, the store has 2"),
        FrameWriter(tmp_path / "a.npy") as writer,
    ):
        writer.append("u1", np.zeros((1, 2)))
        writer.append("u2", np.zeros((1, 3)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["cut", "empty", "pickled", "missing", "shorter"])
def test_damaged_stores_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "store.npy"
    write_store(path)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "pickled":
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    elif damage == "shorter":
        np.save(path, np.zeros((3, 2)))
    else:
        path.write_bytes(content[:-4] if damage == "cut" else b"")
    message = "has 3 frames, its index 4" if damage == "shorter" else "is missing or damaged"
    with pytest.raises(UserError, match=rf"store\.npy {message}.*run its stage again"):
        FrameStore(path)


def test_a_block_that_fails_leaves_the_old_store(tmp_path: Path) -> None:
    write_store(tmp_path / "store.npy")
    with pytest.raises(RuntimeError, match="killed"), FrameWriter(tmp_path / "store.npy") as writer:
        writer.append("other", np.ones((9, 9)))
        raise RuntimeError("killed")
    assert FrameStore(tmp_path / "store.npy").utterances == ["u1", "u2", "u3"]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["store.npy", "store.parquet"]


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "store.npy") as writer:
        writer.append("u", np.ones((2, 2)))
        assert not list(tmp_path.glob("store*"))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*a\.npy: a file has the name of one of its folders"):
        write_store(tmp_path / "file/folder/a.npy")
    path = tmp_path / "b.npy"
    with (
        pytest.raises(UserError, match=rf"cannot write {path}: .*the disk is full. Free some space"),
        FrameWriter(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as writing to an open file does: without a name
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
