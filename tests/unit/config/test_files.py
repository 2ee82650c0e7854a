import os
from pathlib import Path

import pytest

from unscribed.config.files import state_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "monday").mkdir()
    for name in ("a.wav", "monday/b.wav"):
        (tmp_path / name).write_bytes(b"audio")
        os.utime(tmp_path / name, ns=(0, 10**18))
    return tmp_path


def test_every_change_is_noticed(folder: Path) -> None:
    states = [state_of(str(folder))]
    os.utime(folder / "a.wav", ns=(0, 10**18 + 1))  # a file of the same size in its place
    states.append(state_of(str(folder)))
    (folder / "monday/b.wav").write_bytes(b"more audio")
    os.utime(folder / "monday/b.wav", ns=(0, 10**18))
    states.append(state_of(str(folder)))
    (folder / "monday/b.wav").rename(folder / "monday/c.wav")
    states.append(state_of(str(folder)))
    (folder / "a.wav").unlink()
    states.append(state_of(str(folder)))
    assert len(set(states)) == 5


def test_what_does_not_count(folder: Path) -> None:
    before = state_of(str(folder))
    (folder / ".hidden").mkdir()
    (folder / ".hidden/x.wav").write_bytes(b"")
    (folder / "gone.wav").symlink_to("nowhere")
    assert state_of(str(folder)) == before
    assert state_of(str(folder.parent / "nowhere")) == state_of(str(folder.parent / "elsewhere"))
    moved = folder.rename(folder.parent / "moved")
    assert state_of(str(moved)) == before
