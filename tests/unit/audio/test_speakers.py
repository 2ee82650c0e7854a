from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.tables import filled

from unscribed.audio.features import FeatureSettings, features
from unscribed.audio.speakers import SpeakerStatistics, speakers_of
from unscribed.frames import FrameStore
from unscribed.tables import ManifestTable, VadTable

RATE = 16000
SETTINGS = FeatureSettings(
    kind="mfcc", window_ms=25.0, hop_ms=10.0, mel_bins=40, coefficients=13, deltas=True, mean_norm="speaker"
)


def test_speakers_are_folders_where_the_corpus_says_so_and_there_are_several(tmp_path: Path) -> None:
    names, paths = ["a", "b"], ["root/one/a.wav", "root/two/b.wav"]
    filled(ManifestTable, utterance=names, path=paths).write(tmp_path / "manifest.parquet")
    assert speakers_of(tmp_path / "manifest.parquet", names, 1) == ["root/one", "root/two"]
    assert speakers_of(tmp_path / "manifest.parquet", names, 2) == []  # one for all
    assert speakers_of(tmp_path / "manifest.parquet", names, 0) == []


def test_mean_and_deviation_of_all_that_was_added() -> None:
    frames = np.random.default_rng(0).normal([5.0, -3.0, 7.0], [2.0, 0.1, 0.0], size=(60, 3)).astype(np.float32)
    statistics = SpeakerStatistics()
    for part in (frames[:10], frames[10:]):
        statistics.add(part)
    found = statistics(frames)
    assert found.dtype == np.float32 and found.mean(0) == pytest.approx(np.zeros(3), abs=1e-4)
    assert found.std(0) == pytest.approx([1, 1, 0], abs=1e-4)  # a feature that never varies stays at zero


@pytest.mark.parametrize(("level", "expected"), [(1, ["one", "two"]), (0, ["all"])])
def test_features_of_each_speaker(tmp_path: Path, level: int, expected: list[str]) -> None:
    """One speaker is louder and of another timbre; where folders do not tell speakers, all are one."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / folder / f"{name}.wav" for folder, name in (("one", "a"), ("one", "b"), ("two", "c"))]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        wave = 0.1 * rng.normal(size=8000 + 1600 * number)
        soundfile.write(path, np.cumsum(wave) / 50 if path.parent.name == "two" else wave, RATE)
    names, ends = [path.stem for path in paths], [8000 + 1600 * number for number in range(3)]
    filled(ManifestTable, utterance=names, path=map(str, paths)).write(tmp_path / "manifest.parquet")
    regions = {"starts_samples": [[0]] * 3, "ends_samples": [[end] for end in ends]}
    seconds = [end / RATE for end in ends]
    filled(VadTable, utterance=names, speech_seconds=seconds, **regions).write(tmp_path / "vad.parquet")
    features(
        manifest=tmp_path / "manifest.parquet",
        vad=tmp_path / "vad.parquet",
        settings=SETTINGS,
        sample_rate_hz=RATE,
        speaker_level=level,
        features=tmp_path / "features.npy",
        threads=2,
    )
    store = FrameStore(tmp_path / "features.npy")
    assert store.utterances == names
    parts = {"all": (0, 3), "one": (0, 2), "two": (2, 3)}
    for speaker, (first, last) in parts.items():
        frames = store.data[store.offsets[first] : store.offsets[last]]
        even = np.abs(frames.mean(0)).max() < 1e-3 and np.abs(frames.std(0) - 1).max() < 1e-2
        assert even == (speaker in expected or (speaker == "all" and level == 1)), speaker
