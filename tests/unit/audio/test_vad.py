import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.tables import filled

from unscribed.audio.vad import VadSettings, energy_marks, regions, speech, vad
from unscribed.errors import UserError
from unscribed.tables import ManifestTable, VadTable

RATE = 16000
SETTINGS = VadSettings(method="energy", threshold_db=-40.0, min_silence_ms=200, margin_ms=30)


def _bursts(*seconds: float) -> np.ndarray:
    """Silence, noise, silence, … of the given lengths, at 16 kHz."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-0.5, 0.5, int(length * RATE)) * (number % 2) for number, length in enumerate(seconds)]
    return np.concatenate(parts).astype(np.float32)


def _run(folder: Path, waves: list[np.ndarray], settings: VadSettings, rate: int = RATE) -> list[tuple[list, list]]:
    paths = [str(folder / f"{number}.wav") for number in range(len(waves))]
    for path, wave in zip(paths, waves, strict=True):
        soundfile.write(path, wave, RATE, subtype="FLOAT")
    names = [f"u{number}" for number in range(len(waves))]
    seconds = [len(wave) / RATE for wave in waves]
    filled(ManifestTable, utterance=names, path=paths, duration_seconds=seconds).write(folder / "manifest.parquet")
    vad(
        manifest=folder / "manifest.parquet",
        settings=settings,
        sample_rate_hz=rate,
        vad=folder / "vad.parquet",
        threads=2,
    )
    table = VadTable.read(folder / "vad.parquet")
    return [(row["starts_samples"].tolist(), row["ends_samples"].tolist()) for _, row in table.iterrows()]


def test_regions_by_hand() -> None:
    marks = np.array([0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0], dtype=bool)

    def found(min_silence: int, margin: int, total: int = 125) -> tuple[list, list]:
        starts, ends = regions(marks, 10, total, min_silence, margin)
        return starts.tolist(), ends.tolist()

    assert found(0, 0) == ([30, 60, 110], [50, 70, 120])
    assert found(20, 0) == ([30, 110], [70, 125])  # the short silences, the last of 5 samples included, stay
    assert found(20, 7) == ([23, 103], [77, 125])
    assert found(30, 20) == ([10], [125])  # margins meet: one region
    assert found(1000, 0) == ([0], [125])
    assert regions(np.zeros(13, dtype=bool), 10, 125, 1000, 5)[0].size == 0


def test_energy_finds_bursts_of_sound(tmp_path: Path) -> None:
    wave = _bursts(0.5, 0.4, 0.1, 0.3, 0.6, 0.5)  # the 0.1 s pause is shorter than min_silence_ms
    [(starts, ends)] = _run(tmp_path, [wave], SETTINGS)
    tolerance = 0.02 * RATE
    assert np.abs(np.array(starts) - np.array([0.47, 1.87]) * RATE).max() <= tolerance
    assert np.abs(np.array(ends) - np.array([1.33, 2.4]) * RATE).max() <= tolerance
    row = VadTable.read(tmp_path / "vad.parquet").iloc[0]
    assert row["total_seconds"] == pytest.approx(2.4)
    assert row["speech_seconds"] == pytest.approx((sum(ends) - sum(starts)) / RATE)


def test_the_threshold_is_relative_to_the_loud_frames() -> None:
    wave = np.concatenate([_bursts(0, 0.5), 10 ** (-30 / 20) * _bursts(0, 0.5)])
    for gain in (1.0, 0.05):
        assert energy_marks(gain * wave, 160, -40.0).mean() == 1.0
        assert energy_marks(gain * wave, 160, -20.0).mean() == pytest.approx(0.5, abs=0.03)


def test_silence_is_kept_whole_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = _run(tmp_path, [np.zeros(RATE), _bursts(0, 1)], SETTINGS)
    assert found == [([0], [RATE]), ([0], [RATE])]
    assert "no speech found in 1 utterances, kept whole: u0" in caplog.text


def test_none_keeps_everything_at_the_wanted_rate(tmp_path: Path) -> None:
    found = _run(tmp_path, [_bursts(0.5, 0.5), _bursts(1.01)], replace(SETTINGS, method="none"), rate=8000)
    assert found == [([0], [8000]), ([0], [8080])]


def test_silero_runs_and_does_not_take_noise_for_speech(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = _run(tmp_path, [_bursts(0, 0.5), _bursts(0, 0.77)], replace(SETTINGS, method="silero"))
    assert found == [([0], [8000]), ([0], [int(0.77 * RATE)])]
    assert "no speech found in 2 utterances" in caplog.text


def test_silero_refuses_other_rates(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vad\.method silero .*audio\.sample_rate_hz 22050.*8000 or 16000"):
        _run(tmp_path, [_bursts(0, 1)], replace(SETTINGS, method="silero"), rate=22050)
    assert not (tmp_path / "vad.parquet").exists()


def test_an_unreadable_file_leaves_no_table(tmp_path: Path) -> None:
    filled(ManifestTable, utterance=["a"], path=[str(tmp_path / "gone.wav")]).write(tmp_path / "manifest.parquet")
    with pytest.raises(UserError, match=r"gone\.wav"):
        vad(
            manifest=tmp_path / "manifest.parquet",
            settings=SETTINGS,
            sample_rate_hz=RATE,
            vad=tmp_path / "vad.parquet",
            threads=1,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.parquet"]


def test_speech_joins_the_regions() -> None:
    samples = np.arange(10)
    assert speech(samples, [1, 7], [3, 10]).tolist() == [1, 2, 7, 8, 9]
    assert speech(samples, [0], [10]).tolist() == samples.tolist()
