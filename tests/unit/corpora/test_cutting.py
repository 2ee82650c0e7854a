from pathlib import Path

import numpy as np
import pytest
import soundfile

from unscribed.audio.vad import VadSettings
from unscribed.corpora.build import write_recorded
from unscribed.corpora.cutting import CutSettings, cut_long
from unscribed.errors import UserError
from unscribed.tables import CutTable, RecordingTable

RATE = 8000
VAD = VadSettings(method="energy", threshold_db=-40.0, min_silence_ms=200, margin_ms=30)
SETTINGS = CutSettings(min_seconds=0.5, max_seconds=10.0)


def sound(*seconds: float, rate: int = RATE) -> np.ndarray:
    """Silence, noise, silence, … of the given lengths."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-0.5, 0.5, round(length * rate)) * (place % 2) for place, length in enumerate(seconds)]
    return np.concatenate(parts)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A short recording, and a long one at another rate: two sentences, of which one has a pause, and a cough."""
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio/short.wav", sound(0.5, 2.0, 0.5), RATE)
    soundfile.write(tmp_path / "audio/tape.wav", sound(1.0, 3.0, 2.0, 1.0, 0.5, 4.0, 3.0, 0.1, 1.0, rate=16000), 16000)
    return tmp_path


def test_a_long_recording_becomes_its_sentences(tape: Path) -> None:
    """Pauses within them stay, and what is too short is left out."""
    files = [(name, str(tape / f"audio/{name}.wav")) for name in ("short", "tape")]
    kept, cuts = cut_long(files, tape / "pieces", SETTINGS, VAD, RATE, threads=2)
    assert [name for name, _ in kept] == ["short", "tape-00001", "tape-00002"] and kept[0] == files[0]
    assert cuts.columns["recording"] == ["tape", "tape"]
    assert cuts.columns["start_seconds"] == pytest.approx([1.0, 6.0], abs=0.05)
    assert cuts.columns["recording_seconds"] == pytest.approx([15.6] * 2)
    lengths = [soundfile.info(path) for _, path in kept[1:]]
    assert [found.duration for found in lengths] == pytest.approx([3.0, 5.5], abs=0.1)
    assert {found.samplerate for found in lengths} == {RATE}


def test_one_tape_makes_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    seconds = [0.5, *[2.0, 1.5] * 40]
    soundfile.write(tmp_path / "audio/tape.flac", sound(*seconds), RATE)
    (tmp_path / "text.txt").write_text("words\n")
    folder = {"audio": str(tmp_path / "audio"), "text": str(tmp_path / "text.txt"), "transcripts": ""}
    settings = {**folder, "cut": True, "valid_fraction": 0.2, "test_fraction": 0.2}
    common = {"reader": "corpora.folder:make_corpus", "seed": 0, "sample_rate_hz": RATE, "threads": 1}
    outputs = {name: tmp_path / f"made/{name}.parquet" for name in ("recordings", "cuts")}
    cutter = {"cutting": SETTINGS, "vad": VAD, "audio": tmp_path / "made/audio"}
    write_recorded(**common, settings=settings, **outputs, **cutter)
    table, cuts = RecordingTable.read(outputs["recordings"]), CutTable.read(outputs["cuts"])
    assert set(table["split"]) == {"train", "valid", "test"} and len(table) == len(cuts) == 40
    assert all(Path(path).is_file() for path in table["path"])
    with pytest.raises(UserError, match="no recordings for"):  # a single file, which stays whole
        write_recorded(**common, settings={**settings, "cut": False}, **outputs, **cutter)


def test_a_long_file_that_is_damaged_is_left_to_the_manifest(tmp_path: Path) -> None:
    """Which stops, or skips it, as the user wants; nothing of it stays."""
    path = tmp_path / "tape.flac"
    soundfile.write(path, sound(0.5, *[2.0, 1.5] * 100), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    files = [("tape", str(path))]
    kept, cuts = cut_long(files, tmp_path / "pieces", SETTINGS, VAD, RATE, threads=1)
    assert kept == files and len(cuts) == 0 and not list((tmp_path / "pieces").iterdir())
