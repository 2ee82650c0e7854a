from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from unscribed.cli.doctor import examine


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration of one's own data: three files of a second, one of which is none, and five lines."""
    (tmp_path / "audio").mkdir()
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"audio/{name}.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 16000), 16000)
    (tmp_path / "audio/c.wav").write_bytes(b"no audio")
    (tmp_path / "text.txt").write_text("a line\n" * 5)
    folder = {"audio": str(tmp_path / "audio"), "text": str(tmp_path / "text.txt"), "transcripts": ""}
    config = {"corpus": {"name": "mine", "kind": "folder", "language": "en-us", "folder": folder}}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "my.yaml"


def test_the_installation(capsys: pytest.CaptureFixture[str]) -> None:
    examine([])
    found = capsys.readouterr().out
    assert "ok      packages: as pinned" in found and "ok      eSpeak NG: 140 languages" in found and "GPU: " in found


def test_configuration_and_data(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not examine([own])
    found = capsys.readouterr().out
    assert "configuration of mine: valid" in found and "ok      text: 5 lines" in found
    assert "PROBLEM audio: 2 of 3 files tried are good" in found and "c.wav is damaged" in found
    assert "too little to learn from" in found
    assert "ok      text: 5 of 5 lines tried can be pronounced" in found


def test_text_in_a_script_that_nobody_can_pronounce(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.parent / "text.txt").write_text("a line\nпривет мир\nи ещё\n", encoding="utf-8")
    examine([own])
    assert "PROBLEM text: 1 of 3 lines tried can be pronounced, for example not " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("corpus: {kind: folder, nmae: mine}", "nmae"),
        ("corpus: [", "cannot be read"),
        ("just words", "holds no keys"),
        ("corpus: {name: a, kind: folder, folder: {audio: nowhere, text: nowhere}}", "nowhere"),
    ],
)
def test_mistakes_are_problems(tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "my.yaml").write_text(content)
    assert not examine([tmp_path / "my.yaml"])
    assert message in capsys.readouterr().out.partition("PROBLEM")[2]


def test_a_missing_file_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not examine([tmp_path / "none.yaml"])
    assert "none.yaml cannot be read" in capsys.readouterr().out
