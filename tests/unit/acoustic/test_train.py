import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.settings import decode_settings

from unscribed.acoustic import train as stage
from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.train import AcousticSettings, acoustic, frame_labels
from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.tables import BoundaryTable

PHONES = ["<SIL>", "a", "b"]
DECODE = decode_settings(prior_weight=0.3, beam=8.0)
SETTINGS = AcousticSettings(
    iterations=2,
    hidden=16,
    context_frames=1,
    updates=120,
    batch_frames=128,
    learning_rate=0.01,
    label_smoothing=0.05,
    max_frames=100_000,
)
UTTERANCES, SEGMENTS = 20, 15


def _arpa(path: Path) -> None:
    """A trigram model without trigrams: every phone is equally likely after every other."""
    chance = math.log10(0.25)
    lines = ["\\data\\", "ngram 1=5", "ngram 2=0", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0"]
    lines += [f"{chance:.6f}\t{token}\t0" for token in [*PHONES, "</s>"]]
    write_lines(path, [*lines, "\\2-grams:", "\\3-grams:", "\\end\\"])


def _labels(folder: Path, values: np.ndarray) -> None:
    with FrameWriter(folder / "labels.npy", dtype="int32") as writer:
        for number, part in enumerate(np.split(values, UTTERANCES)):
            writer.append(f"u{number}", part[:, None])


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """Inputs of the stage: three separable phones, a quarter of the labels wrong. True phones by segment, by frame."""
    rng = np.random.default_rng(0)
    phones = rng.integers(0, 3, (UTTERANCES, SEGMENTS))
    durations = rng.integers(3, 8, phones.shape)
    points = 3 * np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]])
    frames = [np.repeat(*pair) for pair in zip(phones, durations, strict=True)]
    with FrameWriter(tmp_path / "frames.npy") as writer:
        for number, truth in enumerate(frames):
            writer.append(f"u{number}", points[truth] + 0.5 * rng.normal(size=(len(truth), 4)))
    names = [f"u{number}" for number in range(UTTERANCES)]
    edges = [np.cumsum([0, *row]) for row in durations]
    BoundaryTable(utterance=names, boundaries_frames=edges).write(tmp_path / "boundaries.parquet")
    phones = phones.reshape(-1)
    _labels(tmp_path, np.where(rng.random(phones.shape) < 0.25, rng.integers(0, 3, phones.shape), phones))
    write_lines(tmp_path / "phones.txt", PHONES)
    _arpa(tmp_path / "lm.arpa")
    return tmp_path, phones, np.concatenate(frames)


def _train(folder: Path, settings: AcousticSettings = SETTINGS, seed: str = "0") -> AcousticModel:
    acoustic(
        frames=folder / "frames.npy",
        boundaries=folder / "boundaries.parquet",
        labels=folder / "labels.npy",
        arpa=folder / "lm.arpa",
        phones=folder / "phones.txt",
        settings=settings,
        decode=DECODE,
        seed=seed,
        threads=1,
        model=folder / "model.safetensors",
    )
    return AcousticModel.read(folder / "model.safetensors")


def test_separable_phones_are_learned_from_wrong_labels(toy: tuple[Path, np.ndarray, np.ndarray]) -> None:
    folder, _, truth = toy
    model = _train(folder)
    found = model.log_posteriors(FrameStore(folder / "frames.npy"), 0, UTTERANCES).argmax(axis=1)
    assert (found == truth).mean() > 0.98
    assert model.phones == PHONES and model.context == 1 and model.hidden.shape == (16, 3 * 4)
    # The second training's labels are the first one's decode: almost the truth, and so is the prior.
    np.testing.assert_allclose(np.exp(model.log_prior), np.bincount(truth) / len(truth), atol=0.01)
    assert np.exp(model.log_prior).sum() == pytest.approx(1, abs=1e-5)


def test_prior_is_that_of_the_labels_trained_on(toy: tuple[Path, np.ndarray, np.ndarray]) -> None:
    folder, phones, truth = toy
    _labels(folder, np.minimum(phones, 1))  # the last phone never occurs and keeps a little probability
    model = _train(folder, replace(SETTINGS, iterations=1, updates=5))
    counts = np.bincount(np.minimum(truth, 1), minlength=3) + 1
    np.testing.assert_allclose(np.exp(model.log_prior), counts / counts.sum(), rtol=1e-5)


def test_same_seed_same_model(toy: tuple[Path, np.ndarray, np.ndarray]) -> None:
    folder, settings = toy[0], replace(SETTINGS, updates=10)
    one, again, other = (_train(folder, settings, seed).hidden for seed in ("3", "3", "4"))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(("max_frames", "expected"), [(300, range(1, 6)), (10, range(1, 2)), (10**6, range(20, 21))])
def test_only_max_frames_are_used(
    toy: tuple[Path, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, max_frames: int, expected: range
) -> None:
    """The decode between trainings sees the same few utterances as the trainings."""
    used: list[np.ndarray] = []

    def record(*arguments: object) -> Iterator[None]:
        used.append(np.asarray(arguments[-1]))
        yield from ()

    monkeypatch.setattr(stage, "decode_utterances", record)
    _train(toy[0], replace(SETTINGS, iterations=3, updates=1, max_frames=max_frames))
    assert len(used) == 2 and len(used[0]) in expected and (np.diff(used[0]) > 0).all()
    np.testing.assert_array_equal(used[0], used[1])
    lengths = np.diff(FrameStore(toy[0] / "frames.npy").offsets)
    assert len(used[0]) == 1 or lengths[used[0]].sum() <= max_frames


def test_one_phone_is_an_error(toy: tuple[Path, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, phones, _ = toy
    frames = int(FrameStore(folder / "frames.npy").offsets[-1])
    everything = [(0, UTTERANCES, None, np.full(frames, 2, dtype=np.int16))]
    monkeypatch.setattr(stage, "decode_utterances", lambda *arguments: iter(everything))
    with pytest.raises(UserError, match=r"labels\.npy: every segment bears the same phone.*match\.seeds"):
        _train(folder, replace(SETTINGS, updates=1))  # the decode of the first training collapsed
    _labels(folder, np.full(len(phones), 2))
    with pytest.raises(UserError, match=r"labels\.npy: every segment bears the same phone"):
        _train(folder)
    assert not (folder / "model.safetensors").exists()


def test_a_training_that_diverges_is_an_error(toy: tuple[Path, np.ndarray, np.ndarray]) -> None:
    with pytest.raises(UserError, match=r"diverged.*acoustic\.learning_rate"):
        _train(toy[0], replace(SETTINGS, learning_rate=1e30, updates=20))


def test_frame_labels(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "labels.npy", dtype="int32") as writer:
        writer.append("u0", np.array([[2], [0]]))
        writer.append("u1", np.array([[1]]))
    boundaries = [np.array([0, 3, 4]), np.array([0, 2])]
    labels = FrameStore(tmp_path / "labels.npy")
    found = frame_labels(boundaries, labels)
    assert found.tolist() == [2, 2, 2, 0, 1, 1] and found.dtype == np.int64
    with pytest.raises(UserError, match=r"labels\.npy: 3 labels for 2 segments: run match again"):
        frame_labels(boundaries[:1], labels)
