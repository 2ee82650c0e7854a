import errno
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors import safe_open

from unscribed.artifacts import (
    atomic_folder,
    atomic_path,
    read_json,
    read_metadata,
    read_table,
    read_tensors,
    readable,
    write_json,
    write_lines,
    write_table,
    write_tensors,
)
from unscribed.errors import UserError

SCHEMA = [("utterance", pa.string()), ("starts_frames", pa.list_(pa.int64()))]


def test_table_and_metadata_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.parquet"
    metadata = {"hop_ms": 12.5, "phones": ["<SIL>", "ɑː"], "none": None}
    write_table(path, {"starts_frames": [[0, 4], []], "utterance": ["ü", "b"]}, SCHEMA, metadata)
    table = read_table(path)
    assert table.columns.tolist() == ["utterance", "starts_frames"]
    assert [(row.utterance, row.starts_frames.tolist()) for row in table.itertuples()] == [("ü", [0, 4]), ("b", [])]
    assert read_metadata(path) == metadata
    write_table(path, {"starts_frames": [], "utterance": []}, SCHEMA)
    assert read_table(path).columns.tolist() == ["utterance", "starts_frames"]
    assert read_metadata(path) == {}


def test_json_and_lines_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, None], "a": "ɑː"})
    assert read_json(tmp_path / "a.json") == {"a": "ɑː", "b": [1, None]}
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith('{\n  "a": "ɑː",')
    write_lines(tmp_path / "a.txt", ["one", "zwölf"])
    assert (tmp_path / "a.txt").read_bytes() == "one\nzwölf\n".encode()


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "missing"])
def test_damaged_tables_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, {"utterance": [f"utterance {i}" for i in range(1000)]}, SCHEMA[:1])
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        noise = content[:50] + b"\xff" * 400 + content[450:]
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "noise": noise}[damage])
    message = (
        "does not exist: run the stage" if damage == "missing" else r"is damaged \(.*delete it and run the stage again"
    )
    with pytest.raises(UserError, match=r"table\.parquet " + message):
        read_table(path)


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_lines(path, ["old"])
    with pytest.raises(RuntimeError, match="killed"), atomic_path(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError("killed")
    assert path.read_text(encoding="utf-8") == "old\n"
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "below/folder"
    for name in ("first", "second"):
        with atomic_folder(path) as temporary:
            (temporary / name).touch()
    with pytest.raises(RuntimeError, match="killed"), atomic_folder(path) as temporary:
        (temporary / "third").touch()
        raise RuntimeError("killed")
    assert [found.name for found in path.iterdir()] == ["second"]
    assert [found.name for found in path.parent.iterdir()] == ["folder"]


def test_the_same_tensors_give_the_same_file(tmp_path: Path) -> None:
    tensors = {"b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "a": np.ones(2)}
    metadata = {"phones": ["<SIL>", "ɑː"], **{f"key{number}": number for number in range(20)}}
    for name in ("one", "two"):
        write_tensors(tmp_path / name, tensors, metadata)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    (tmp_path / "other").touch()
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode
    with safe_open(tmp_path / "one", "numpy") as file:
        assert json.loads(file.metadata()["json"]) == metadata


def test_tensors_and_metadata_round_trip(tmp_path: Path) -> None:
    tensors = {"b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "a": np.zeros((0, 2), dtype=np.int64)}
    for metadata in ({"phones": ["<SIL>", "ɑː"], "none": None}, {}, None):
        write_tensors(tmp_path / "model", tensors, metadata)
        found, said = read_tensors(tmp_path / "model")
        assert said == metadata and found.keys() == tensors.keys()
        for name, value in tensors.items():
            assert found[name].dtype == value.dtype and np.array_equal(found[name], value)


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "missing", "folder"])
def test_damaged_tensors_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model"
    write_tensors(path, {"a": np.ones(100)}, {})
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"cut": content[:-4], "empty": b"", "noise": b"\xff" * len(content)}[damage])
    with pytest.raises(UserError, match=r"model is missing or damaged \(.*\): delete it and run the workflow again"):
        read_tensors(path)


def test_a_model_file_of_another_kind_is_named(tmp_path: Path) -> None:
    """What a reader misses in the file is an error of the file."""
    path = tmp_path / "model"
    write_tensors(path, {"a": np.ones(2)})
    for name in ("tensors", "metadata"):
        with pytest.raises(UserError, match=r"model is missing or damaged"), readable(path):
            tensors, metadata = read_tensors(path)
            assert tensors["b"] if name == "tensors" else metadata["phones"]
    with pytest.raises(ZeroDivisionError), readable(path):
        raise ZeroDivisionError  # a mistake of the code is not the file's


def test_what_a_killed_job_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.123.tmp").write_text("half", encoding="utf-8")
    (tmp_path / ".a.txt.45.tmp").mkdir()
    others = [tmp_path / ".b.txt.123.tmp", tmp_path / ".a.txt.parquet.123.tmp", tmp_path / ".a.txt.old.tmp"]
    for other in others:
        other.touch()
    write_lines(tmp_path / "a.txt", ["new"])
    assert set(tmp_path.iterdir()) == {tmp_path / "a.txt", *others}


def test_a_job_that_outlives_its_run_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(FileNotFoundError), atomic_path(path) as temporary:
        temporary.touch()
        temporary.write_text("old", encoding="utf-8")
        temporary.rename(tmp_path / ".a.txt.1.tmp")  # as if the block were in another process
        write_lines(path, ["new"])
    assert path.read_text(encoding="utf-8") == "new\n"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "permission denied. Make its folder writable"),
        (errno.EROFS, "read-only: run in another folder with `snakemake --directory"),
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EDQUOT, "your disk quota is full"),
    ],
)
def test_what_the_system_refuses(tmp_path: Path, number: int, message: str) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(UserError, match=rf"cannot write {path}: .*{message}"), atomic_path(path) as temporary:
        temporary.touch()
        raise OSError(number, os.strerror(number), str(temporary))
    with pytest.raises(UserError, match=rf"cannot write {path}: .*{message}"), atomic_path(path):
        raise OSError(number, os.strerror(number))  # as writing to an open file does: without a name
    assert not list(tmp_path.iterdir())


def test_other_errors_of_the_block_are_not_the_files(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_path(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "sound.wav"))
    with pytest.raises(OSError, match="Input/output error"), atomic_path(tmp_path / "a"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("place", ["file/a.txt", "file/folder/a.txt"])
def test_a_file_in_place_of_a_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*a\.txt: a file has the name of one of its folders"):
        write_lines(tmp_path / place, [])
