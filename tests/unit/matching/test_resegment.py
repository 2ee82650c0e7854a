import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.settings import decode_settings, match_settings

from unscribed.acoustic import search
from unscribed.acoustic.model import AcousticModel
from unscribed.artifacts import read_json, write_lines
from unscribed.frames import FrameStore, FrameWriter
from unscribed.matching.resegment import resegment
from unscribed.segmentation.represent import FRAME_WEIGHT, POSTERIOR_FLOOR, POSTERIOR_WEIGHT
from unscribed.tables import BoundaryTable

PHONES = ["<SIL>", "a", "b"]
UTTERANCES = ([0, 0, 0, 1, 1, 2, 2, 2], [2, 2], [1, 1, 1, 0, 0, 1, 1, 2, 2, 2, 0, 0])  # a phone per frame
DECODE = decode_settings()
MATCH = match_settings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Frames that say their phone, a model that reads it, a language model without preferences."""
    with FrameWriter(tmp_path / "frames.npy") as writer:
        for number, phones in enumerate(UTTERANCES):
            frames = np.eye(3)[phones]
            frames[:, 1:] += 0.01 * np.arange(len(phones))[:, None]
            writer.append(f"u{number}", frames)
    identity = np.eye(3, dtype=np.float32)
    zeros = np.zeros(3, dtype=np.float32)
    AcousticModel(identity, zeros, 10 * identity, zeros, zeros, PHONES, 0).write(tmp_path / "model.safetensors")
    chance = math.log10(0.25)
    lines = ["\\data\\", "ngram 1=5", "ngram 2=0", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0"]
    lines += [f"{chance:.6f}\t{token}\t0" for token in [*PHONES, "</s>"]]
    write_lines(tmp_path / "lm.arpa", [*lines, "\\2-grams:", "\\3-grams:", "\\end\\"])
    write_lines(tmp_path / "text.txt", ["<SIL> a b", "b", "a <SIL> a b <SIL>"])
    return tmp_path


def _resegment(folder: Path) -> float:
    resegment(
        frames=folder / "frames.npy",
        model=folder / "model.safetensors",
        arpa=folder / "lm.arpa",
        phones_text=folder / "text.txt",
        match=MATCH,
        decode=DECODE,
        threads=1,
        boundaries=folder / "boundaries.parquet",
        segments=folder / "segments.npy",
        labels=folder / "labels.npy",
        discrepancy=folder / "discrepancy.json",
    )
    return read_json(folder / "discrepancy.json")["discrepancy"]


def test_segments_are_the_decoded_phones(folder: Path) -> None:
    _resegment(folder)
    boundaries = BoundaryTable.read(folder / "boundaries.parquet")
    assert boundaries["utterance"].tolist() == ["u0", "u1", "u2"]
    assert [edges.tolist() for edges in boundaries["boundaries_frames"]] == [[0, 3, 5, 8], [0, 2], [0, 3, 5, 7, 10, 12]]
    labels, segments = FrameStore(folder / "labels.npy"), FrameStore(folder / "segments.npy")
    assert [values[:, 0].tolist() for _, values in labels] == [[0, 1, 2], [2], [1, 0, 1, 2, 0]]
    assert labels.data.dtype == np.int32 and labels.metadata == {"phones": PHONES}
    assert segments.utterances == labels.utterances and (segments.offsets == labels.offsets).all()


def test_representations(folder: Path) -> None:
    """The mean frame beside the mean of the floored log posteriors, each with its weight."""
    _resegment(folder)
    frames, segments = FrameStore(folder / "frames.npy"), FrameStore(folder / "segments.npy")
    posteriors = AcousticModel.read(folder / "model.safetensors").log_posteriors(frames, 0, 3)
    assert posteriors.min() < POSTERIOR_FLOOR
    assert segments.data.shape == (9, 3 + 3) and segments.data.dtype == np.float32
    second = slice(3, 5)  # the frames of the second segment
    np.testing.assert_allclose(segments.data[1, :3], FRAME_WEIGHT * frames.data[second].mean(axis=0), rtol=1e-5)
    expected = POSTERIOR_WEIGHT * np.maximum(posteriors[second], POSTERIOR_FLOOR).mean(axis=0)
    np.testing.assert_allclose(segments.data[1, 3:], expected, rtol=1e-5, atol=1e-6)
    last = slice(8 + 2 + 10, 8 + 2 + 12)
    np.testing.assert_allclose(segments.data[8, :3], FRAME_WEIGHT * frames.data[last].mean(axis=0), rtol=1e-5)


def test_discrepancy_compares_the_phones_with_the_text(folder: Path) -> None:
    assert _resegment(folder) == 0  # the text says what the audio says
    write_lines(folder / "text.txt", ["<SIL> a b", "b", "a <SIL> a <SIL> b"])
    little = _resegment(folder)
    write_lines(folder / "text.txt", ["b a", "b a b a <SIL>"])
    assert 0 < little < _resegment(folder)


def test_blocks_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _resegment(folder)
    names = ("segments.npy", "labels.npy")
    whole = [np.array(FrameStore(folder / name).data) for name in names]
    monkeypatch.setattr(search, "blocks", partial(search.blocks, frames=5))
    assert _resegment(folder) == 0
    for name, expected in zip(names, whole, strict=True):
        np.testing.assert_allclose(FrameStore(folder / name).data, expected, atol=1e-6)
