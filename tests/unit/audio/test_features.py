from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from helpers.tables import filled

from unscribed.audio import features as module
from unscribed.audio.features import Extractor, FeatureSettings, deltas, features
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.tables import ManifestTable, VadTable

RATE = 16000
SETTINGS = FeatureSettings(
    kind="mfcc", window_ms=25.0, hop_ms=10.0, mel_bins=40, coefficients=13, deltas=True, mean_norm="utterance"
)


def _waves(*lengths: int) -> list[np.ndarray]:
    """Noise whose loudness differs from utterance to utterance and within each."""
    rng = np.random.default_rng(0)
    return [
        (10.0 ** -(number % 4) * np.linspace(0, 0.5, length) * rng.normal(size=length)).astype(np.float32)
        for number, length in enumerate(lengths)
    ]


def _store(folder: Path, waves: list[np.ndarray], ends: list[int] | None = None, threads: int = 2) -> FrameStore:
    names = [f"u{number}" for number in range(len(waves))]
    paths = [str(folder / f"{name}.wav") for name in names]
    for path, wave in zip(paths, waves, strict=True):
        soundfile.write(path, wave, RATE, subtype="FLOAT")
    filled(ManifestTable, utterance=names, path=paths).write(folder / "manifest.parquet")
    ends = ends or [len(wave) for wave in waves]
    filled(
        VadTable,
        utterance=names[::-1],  # the manifest's order counts
        starts_samples=[[0]] * len(names),
        ends_samples=[[end] for end in ends[::-1]],
        speech_seconds=[end / RATE for end in ends[::-1]],
    ).write(folder / "vad.parquet")
    features(
        manifest=folder / "manifest.parquet",
        vad=folder / "vad.parquet",
        settings=SETTINGS,
        sample_rate_hz=RATE,
        features=folder / "features.npy",
        threads=threads,
    )
    return FrameStore(folder / "features.npy")


@pytest.mark.parametrize("kind", ["mfcc", "logmel"])
@pytest.mark.parametrize("length", [401, 1600, 5000, 12345])
def test_an_utterance_in_a_batch_equals_torchaudio_on_it_alone(kind: str, length: int) -> None:
    waves = _waves(8000, length, 16001, 400)
    settings = replace(SETTINGS, kind=kind, mean_norm="none")
    found = Extractor(settings, RATE)(waves)[1]
    options = {"n_fft": 400, "win_length": 400, "hop_length": 160, "n_mels": 40}
    wave = torch.from_numpy(waves[1])
    if kind == "mfcc":
        static = torchaudio.transforms.MFCC(RATE, 13, melkwargs=options)(wave[None])[0]
    else:
        energies = torchaudio.transforms.MelSpectrogram(RATE, **options)(wave[None])
        static = torchaudio.transforms.AmplitudeToDB("power", 80.0)(energies)[0]
    first = torchaudio.functional.compute_deltas(static)
    expected = torch.cat([static, first, torchaudio.functional.compute_deltas(first)]).T.numpy()
    assert found.shape == expected.shape == (length // 160 + 1, 3 * len(static))
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("rate,window_ms,mel_bins", [(11025, 25.0, 40), (8000, 20.0, 80), (22050, 25.0, 80)])
def test_the_company_of_an_utterance_does_not_matter(rate: int, window_ms: float, mel_bins: int) -> None:
    extractor = Extractor(replace(SETTINGS, window_ms=window_ms, mel_bins=mel_bins), rate)
    waves = _waves(700, 5000, 4410, 9001, 3333)
    for wave, frames in zip(waves, extractor(waves), strict=True):
        np.testing.assert_allclose(frames, extractor([wave])[0], atol=2e-3)


def test_the_mean_of_each_utterance_is_removed() -> None:
    plain = Extractor(replace(SETTINGS, mean_norm="none"), RATE)(_waves(4000, 6000))
    normed = Extractor(SETTINGS, RATE)(_waves(4000, 6000))
    for before, after in zip(plain, normed, strict=True):
        np.testing.assert_allclose(after, before - before.mean(axis=0), atol=1e-3)


def test_deltas_by_hand() -> None:
    frames = np.array([[0], [1], [2], [3], [4], [7], [5], [5]], dtype=np.float32)
    found = deltas(frames, np.array([5, 1, 2]))[:, 0]
    np.testing.assert_allclose(found, [0.5, 0.8, 1.0, 0.8, 0.5, 0.0, 0.0, 0.0], atol=1e-6)


def test_the_store_keeps_the_order_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waves = _waves(*range(4000, 14000, 500))
    monkeypatch.setattr(module, "BATCH_SECONDS", 1.0)
    store = _store(tmp_path, waves, ends=[len(wave) - 80 for wave in waves])
    assert store.utterances == [f"u{number}" for number in range(len(waves))]
    assert store.data.dtype == np.float32 and store.data.shape[1] == 39
    assert store.metadata == {"kind": "mfcc", "dims": 39, "static_dims": 13, "hop_ms": 10.0, "sample_rate_hz": RATE}
    extractor = Extractor(SETTINGS, RATE)
    for wave, (_, frames) in zip(waves, store, strict=True):
        np.testing.assert_allclose(frames, extractor([wave[:-80]])[0], atol=2e-3)


def test_the_number_of_threads_does_not_change_a_bit(tmp_path: Path) -> None:
    waves = _waves(8000, 9000, 5000)
    one = np.array(_store(tmp_path, waves, threads=1).data)
    assert np.array_equal(one, _store(tmp_path, waves, threads=3).data)


def test_too_little_speech_names_the_file_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"u1\.wav has 20 ms of speech.*features\.window_ms"):
        _store(tmp_path, _waves(8000, 8000), ends=[8000, 320])
    assert not list(tmp_path.glob("*features*"))


def test_regions_that_lack_an_utterance(tmp_path: Path) -> None:
    _store(tmp_path, _waves(8000, 8000))
    filled(ManifestTable, utterance=["new"], path=["new.wav"]).write(tmp_path / "manifest.parquet")
    with pytest.raises(UserError, match=r"vad\.parquet lacks 1 utterances, for example new: .*run the workflow"):
        features(
            manifest=tmp_path / "manifest.parquet",
            vad=tmp_path / "vad.parquet",
            settings=SETTINGS,
            sample_rate_hz=RATE,
            features=tmp_path / "other.npy",
            threads=1,
        )


@pytest.mark.parametrize(
    "change,message",
    [
        ({"mel_bins": 10}, r"features\.coefficients \(13\) exceeds features\.mel_bins \(10\)"),
        ({"mel_bins": 2000}, r"features\.mel_bins 2000 is too many"),
        ({"hop_ms": 0.01}, r"features\.hop_ms"),
    ],
)
def test_settings_that_do_not_fit(change: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Extractor(replace(SETTINGS, **change), RATE)
