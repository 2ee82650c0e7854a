import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unscribed.audio.manifest import AudioSettings, check, clipped_fraction, manifest
from unscribed.errors import UserError
from unscribed.tables import ManifestTable, RecordingTable, RejectedTable

RATE = 16000
SETTINGS = AudioSettings(
    sample_rate_hz=RATE, min_seconds=0.3, max_seconds=2.0, max_clipped_fraction=0.02, on_error="stop"
)
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, RATE)


def _write(path: Path, samples: np.ndarray, subtype: str = "PCM_16") -> str:
    soundfile.write(path, samples, RATE, subtype=subtype)
    return str(path)


def _run(folder: Path, paths: list[str], settings: AudioSettings = SETTINGS, split: str = "train") -> None:
    names = [f"u{number}" for number in range(len(paths))]
    RecordingTable(utterance=names, split=[split] * len(paths), path=paths).write(folder / "recordings.parquet")
    manifest(
        recordings=folder / "recordings.parquet",
        split="train",
        settings=settings,
        manifest=folder / "out" / "train.parquet",
        rejected=folder / "out" / "train.rejected.parquet",
        threads=2,
    )


def _good(folder: Path, count: int) -> list[str]:
    return [_write(folder / f"good{number}.wav", NOISE) for number in range(count)]


def _bad_file(folder: Path, kind: str) -> str:
    path = folder / f"{kind}.wav"
    broken = NOISE.copy()
    if kind == "nan":
        broken[100] = np.nan
    if kind == "infinite":
        broken[100] = np.inf
    if kind == "clipped":
        broken[:1600] = 1.0
    if kind in ("nan", "infinite"):
        return _write(path, broken, "FLOAT")
    if kind == "empty":
        path.touch()
    elif kind == "corrupt":
        path.write_bytes(b"RIFF" + bytes(range(200)))
    elif kind != "missing":
        silent = 5e-5 * np.sin(np.arange(RATE))
        content = {"zeros": 0 * NOISE, "faint": silent, "short": NOISE[:1600], "long": np.tile(NOISE, 3)}
        content |= {"clipped": broken, "headeronly": NOISE[:0]}
        _write(path, content[kind])
    return str(path)


BAD = {
    "missing": "does not exist",
    "empty": "is empty",
    "headeronly": "holds no samples",
    "corrupt": "is damaged or not audio",
    "zeros": "is silent",
    "faint": "is silent",
    "nan": "holds NaN or infinite",
    "infinite": "holds NaN or infinite",
    "short": r"0\.10 s, shorter than audio\.min_seconds \(0\.3\)",
    "long": r"3\.00 s, longer than audio\.max_seconds \(2\)",
    "clipped": r"clipped: 10\.0% of its samples, audio\.max_clipped_fraction allows 2\.0%",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_stops_the_stage_and_leaves_no_table(tmp_path: Path, kind: str) -> None:
    paths = [*_good(tmp_path, 2), _bad_file(tmp_path, kind)]
    with pytest.raises(UserError, match=rf"1 of the 3 files(.|\n)*on_error: skip(.|\n)*{kind}\.wav .*{BAD[kind]}"):
        _run(tmp_path, paths)
    assert not list((tmp_path).glob("out/*"))


def test_skip_lists_the_bad_files_and_keeps_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stereo = _write(tmp_path / "stereo.wav", np.stack([NOISE, -NOISE], axis=1)[:8000])
    good = _good(tmp_path, 2)
    paths = [good[0], _bad_file(tmp_path, "nan"), stereo, _bad_file(tmp_path, "empty"), good[1]]
    with caplog.at_level(logging.INFO):
        _run(tmp_path, paths, replace(SETTINGS, on_error="skip"))
    kept = ManifestTable.read(tmp_path / "out" / "train.parquet")
    assert kept["utterance"].tolist() == ["u0", "u2", "u4"]
    assert kept.iloc[1].to_dict() == {
        "utterance": "u2",
        "path": stereo,
        "sample_rate_hz": RATE,
        "channels": 2,
        "duration_samples": 8000,
        "duration_seconds": 0.5,
        "clipped_fraction": 0.0,
    }
    rejected = RejectedTable.read(tmp_path / "out" / "train.rejected.parquet")
    assert rejected["utterance"].tolist() == ["u1", "u3"]
    assert rejected["reason"][0] == "holds NaN or infinite samples"
    assert "skipped 2 of the 5 files of split train" in caplog.text


def test_the_message_lists_ten_files_and_counts_the_rest(tmp_path: Path) -> None:
    bad = _bad_file(tmp_path, "zeros")
    with pytest.raises(UserError, match=r"12 of the 14 files(.|\n)*and 2 more") as error:
        _run(tmp_path, _good(tmp_path, 2) + [bad] * 12)
    assert str(error.value).count("is silent") == 10


def test_splits_that_are_too_small(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"split train has only 1 good utterance.*at least 2.*corpus:"):
        _run(tmp_path, _good(tmp_path, 1))
    with pytest.raises(UserError, match=r"split train has no good utterance"):
        _run(tmp_path, _good(tmp_path, 1), split="test")
    with pytest.raises(UserError, match=r"split train has no good utterance .*3 rejected(.|\n)*zeros\.wav is silent"):
        _run(tmp_path, [_bad_file(tmp_path, "zeros")] * 3, replace(SETTINGS, on_error="skip"))
    assert not (tmp_path / "out").exists()


def test_contradictory_limits(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"audio\.min_seconds \(3\) is above audio\.max_seconds \(2\)"):
        _run(tmp_path, _good(tmp_path, 2), replace(SETTINGS, min_seconds=3.0))


def test_an_utterance_listed_twice(tmp_path: Path) -> None:
    table = RecordingTable(utterance=["a", "a"], split=["train"] * 2, path=_good(tmp_path, 2))
    table.write(tmp_path / "twice.parquet")
    with pytest.raises(UserError, match=r"twice\.parquet lists the utterance a of split train twice"):
        manifest(
            recordings=tmp_path / "twice.parquet",
            split="train",
            settings=SETTINGS,
            manifest=tmp_path / "manifest.parquet",
            rejected=tmp_path / "rejected.parquet",
            threads=1,
        )


def test_low_rate_files_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = _good(tmp_path, 2)
    soundfile.write(paths[0], NOISE[:8000], 8000)
    with caplog.at_level(logging.WARNING):
        _run(tmp_path, paths)
    assert "1 files have a lower rate than audio.sample_rate_hz (16000)" in caplog.text


def test_only_runs_at_full_scale_count_as_clipped() -> None:
    samples = np.array([[0, 1, 1, 0, 1, 1, 1, 0, -1, -1, 1, -1, 0, 0, 1, 0]], dtype=np.float32).T
    assert clipped_fraction(samples) == pytest.approx(7 / 16)  # the runs of 3 and 4, whatever their sign
    assert clipped_fraction(samples[:2]) == 0.0


def test_check_describes_a_file(tmp_path: Path) -> None:
    recording = check("u", _write(tmp_path / "a.wav", NOISE), SETTINGS)
    assert (recording.reason, recording.duration_seconds, recording.channels) == ("", 1.0, 1)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder of readable files whose subfolder `out` cannot be written, not even by root's process."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "out").mkdir()
    (folder / "out").chmod(0o555)
    yield folder
    (folder / "out").chmod(0o755)
    shutil.rmtree(folder)


def test_no_write_permission(locked: Path) -> None:
    paths = _good(locked, 2)
    RecordingTable(utterance=["a", "b"], split=["train"] * 2, path=paths).write(locked / "recordings.parquet")
    for file in locked.glob("*.*"):
        file.chmod(0o644)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root ignores the permissions of folders
    except OSError:
        pytest.skip("this root may not change its user")
    try:
        with pytest.raises(UserError, match=r"cannot write .*out.*permission denied"):
            manifest(
                recordings=locked / "recordings.parquet",
                split="train",
                settings=SETTINGS,
                manifest=locked / "out" / "train.parquet",
                rejected=locked / "out" / "train.rejected.parquet",
                threads=1,
            )
    finally:
        os.seteuid(user)
    assert not list((locked / "out").iterdir())
