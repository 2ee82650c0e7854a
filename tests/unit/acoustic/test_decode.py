import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.settings import decode_settings

from unscribed.acoustic import search
from unscribed.acoustic.decode import decode
from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.search import decode_utterances
from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams
from unscribed.artifacts import read_metadata, write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.tables import PhoneTable

PHONES = ["<SIL>", "a", "b"]
UTTERANCES = ([0, 0, 0, 1, 1, 2, 2, 2], [2], [1, 1, 1, 0, 0, 1, 1, 2, 2, 2])  # a phone per frame
SETTINGS = decode_settings(prior_weight=0.3)


def _frames(path: Path, utterances: list[np.ndarray]) -> None:
    with FrameWriter(path, {"hop_ms": 10.0}) as writer:
        for number, frames in enumerate(utterances):
            writer.append(f"u{number}", frames)


def _arpa(path: Path, phones: list[str]) -> None:
    """A trigram model without trigrams: every phone is equally likely after every other."""
    chance = math.log10(1 / (len(phones) + 1))
    lines = ["\\data\\", f"ngram 1={len(phones) + 2}", "ngram 2=0", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0"]
    lines += [f"{chance:.6f}\t{token}\t0" for token in [*phones, "</s>"]]
    write_lines(path, [*lines, "\\2-grams:", "\\3-grams:", "\\end\\"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store whose frames show their phone, and a model that recognises it."""
    _frames(tmp_path / "frames.npy", [np.eye(3)[phones] for phones in UTTERANCES])
    identity, zeros = np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    prior = np.full(3, -math.log(3), dtype=np.float32)
    AcousticModel(identity, zeros, 10 * identity, zeros, prior, PHONES, 0).write(tmp_path / "model.safetensors")
    _arpa(tmp_path / "lm.arpa", PHONES)
    return tmp_path


def _decode(folder: Path, settings: DecodeSettings = SETTINGS, threads: int = 1) -> list[tuple]:
    decode(
        frames=folder / "frames.npy",
        model=folder / "model.safetensors",
        arpa=folder / "lm.arpa",
        settings=settings,
        threads=threads,
        decoded=folder / "decoded.parquet",
    )
    table = PhoneTable.read(folder / "decoded.parquet")
    assert list(table) == ["utterance", "phones", "starts_frames", "frames"]
    return [(row.utterance, row.phones.tolist(), row.starts_frames.tolist(), row.frames) for row in table.itertuples()]


def test_phones_and_times(folder: Path) -> None:
    assert _decode(folder) == [
        ("u0", ["<SIL>", "a", "b"], [0, 3, 5], 8),
        ("u1", ["b"], [0], 1),
        ("u2", ["a", "<SIL>", "a", "b"], [0, 3, 5, 7], 10),
    ]
    assert read_metadata(folder / "decoded.parquet") == {"hop_ms": 10.0}


def test_the_context_corrects_a_weak_frame(folder: Path) -> None:
    """One doubtful frame within a phone is smoothed, since every new phone costs its language model score."""
    frames = np.eye(3)[[1] * 8]
    frames[4] = [0, 0.4, 0.5]
    _frames(folder / "frames.npy", [frames])
    assert _decode(folder)[0][1] == ["a"]
    weak = decode_settings(lm_weight=0.0, prior_weight=0.3)
    assert _decode(folder, weak)[0][1] == ["a", "b", "a"]


@pytest.fixture
def noisy(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    _frames(folder / "frames.npy", [rng.random((length, 3)) for length in rng.integers(1, 40, 12)])
    return folder


def test_blocks_and_threads_change_nothing(noisy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _decode(noisy)
    assert sum(len(row[1]) for row in whole) > 30
    assert _decode(noisy, threads=2) == whole
    monkeypatch.setattr(search, "blocks", partial(search.blocks, frames=50))
    assert _decode(noisy) == whole


@pytest.mark.parametrize("chosen", [[0], [11], [0, 1, 4, 5, 6, 11], list(range(12))])
def test_chosen_utterances(noisy: Path, monkeypatch: pytest.MonkeyPatch, chosen: list[int]) -> None:
    """Only these are decoded, each once, as in the decode of all."""
    store, model = FrameStore(noisy / "frames.npy"), AcousticModel.read(noisy / "model.safetensors")
    trigrams = PhoneTrigrams.read(noisy / "lm.arpa", PHONES, SETTINGS)
    paths = np.concatenate([found[3] for found in decode_utterances(model, store, trigrams, SETTINGS, 1)])
    assert len(paths) == store.offsets[-1]
    monkeypatch.setattr(search, "blocks", partial(search.blocks, frames=50))
    seen: list[int] = []
    for first, last, posteriors, path in decode_utterances(model, store, trigrams, SETTINGS, 1, np.array(chosen)):
        seen += range(first, last)
        np.testing.assert_array_equal(path, paths[store.offsets[first] : store.offsets[last]])
        assert posteriors.shape == (len(path), 3)
    assert seen == chosen


def test_language_model_of_other_phones(folder: Path) -> None:
    _arpa(folder / "lm.arpa", ["<SIL>", "a"])
    with pytest.raises(UserError, match=r"lm\.arpa has no probability for b"):
        _decode(folder)
    assert not (folder / "decoded.parquet").exists()
