import logging
from dataclasses import replace
from pathlib import Path

import kaldialign
import numpy as np
import pytest
from helpers.settings import match_settings

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.matching import match as stage
from unscribed.matching.match import match
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.segmentation.segment import runs
from unscribed.tables import RestartTable

PHONES = ["<SIL>", "a", "b", "d", "e", "k"]
SETTINGS = match_settings(
    clusters=[8, 12], restarts=8, steps=150, warm_restarts=2, warm_steps=100, skips=3, positions=4
)


def _sentences(number: int, seed: int) -> list[np.ndarray]:
    """Sentences of one toy language, as phone numbers."""
    chances = np.random.default_rng(5).dirichlet(np.full(len(PHONES), 0.3), len(PHONES))
    np.fill_diagonal(chances, 0)
    chances /= chances.sum(axis=1, keepdims=True)
    rng, found = np.random.default_rng(seed), []
    for length in rng.integers(10, 25, number):
        sentence = [0]
        while len(sentence) < length:
            sentence.append(int(rng.choice(len(PHONES), p=chances[sentence[-1]])))
        found.append(np.array(sentence))
    return found


def _speak(path: Path, sentences: list[np.ndarray], stay: float = 0.0) -> np.ndarray:
    """Write segments: the point of the phone in 8 dimensions, with noise. Returns the phone of every segment."""
    rng = np.random.default_rng(1)
    points, spoken = rng.normal(size=(len(PHONES), 8)), []
    with FrameWriter(path) as writer:
        for number, phones in enumerate(sentences):
            spoken.append(np.repeat(phones, rng.geometric(1 - stay, len(phones))))
            writer.append(f"u{number}", points[spoken[-1]] + 0.1 * rng.normal(size=(len(spoken[-1]), 8)))
    return np.concatenate(spoken)


def _match(folder: Path, previous: Path | list[str], settings: MatchSettings = SETTINGS, seed: str = "0") -> np.ndarray:
    """Run the stage; the label of every segment, (S,)."""
    match(
        segments=folder / "segments.npy",
        phones_text=folder / "phones_text.txt",
        phones=folder / "phones.txt",
        previous=previous,
        settings=settings,
        seed=seed,
        threads=1,
        labels=folder / "labels.npy",
        objectives=folder / "objectives.parquet",
    )
    return np.array(FrameStore(folder / "labels.npy").data[:, 0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lines(tmp_path / "phones.txt", PHONES)
    text = [" ".join(PHONES[phone] for phone in sentence) for sentence in _sentences(300, seed=0)]
    write_lines(tmp_path / "phones_text.txt", text)
    return tmp_path


def test_audio_is_labelled_from_text_alone(folder: Path) -> None:
    spoken = _speak(folder / "segments.npy", _sentences(200, seed=9))
    found = _match(folder, [])
    assert (found == spoken).mean() > 0.99
    segments, labels = FrameStore(folder / "segments.npy"), FrameStore(folder / "labels.npy")
    assert labels.utterances == segments.utterances and (labels.offsets == segments.offsets).all()
    assert labels.metadata == {"phones": PHONES} and labels.data.dtype == np.int32 and labels.data.ndim == 2
    objectives = RestartTable.read(folder / "objectives.parquet")
    assert objectives["units"].tolist() == [8] * 8 + [12] * 2  # a pass from random starts and a warm one
    assert objectives["restart"].tolist() == [*range(8), *range(2)]
    for _, rows in objectives.groupby("units"):
        assert rows["chosen"].sum() == 1 and rows["objective"][rows["chosen"]].item() == rows["objective"].min()
    np.testing.assert_array_equal(_match(folder, []), found)


def test_oversegmented_audio(folder: Path) -> None:
    """The number of segments per phone is found from the lengths of utterances and sentences."""
    sentences = _sentences(200, seed=9)
    spoken = _speak(folder / "segments.npy", sentences, stay=0.3)
    found = _match(folder, [])
    edges = runs(found)
    wanted = [phone for sentence in sentences for phone in sentence[np.append(True, np.diff(sentence) != 0)]]
    rate = kaldialign.edit_distance(wanted, found[edges[:-1]].tolist())["total"] / len(wanted)
    assert (found == spoken).mean() > 0.99 and rate < 0.02
    given = replace(SETTINGS, segments_per_phone=1 / 0.7)
    assert (_match(folder, [], given) == spoken).mean() > 0.99


def test_later_rounds_go_on_from_the_labels_before(folder: Path) -> None:
    spoken = _speak(folder / "segments.npy", _sentences(200, seed=9))
    rng = np.random.default_rng(2)
    noisy = np.where(rng.random(len(spoken)) < 0.3, rng.integers(0, len(PHONES), len(spoken)), spoken)
    with FrameWriter(folder / "previous.npy", dtype="int32") as writer:
        writer.append("all", noisy[:, None])
    settings = replace(SETTINGS, clusters=[5000, 12], warm_restarts=3)  # the first number would raise
    assert (_match(folder, folder / "previous.npy", settings) == spoken).mean() > 0.99
    assert RestartTable.read(folder / "objectives.parquet")["units"].tolist() == [12] * 3


@pytest.mark.parametrize(
    ("repeats", "given", "warns"), [(1, None, False), (4, None, True), (4, 4.0, False), (1, 0.5, False)]
)
def test_segments_per_phone(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    repeats: int,
    given: float | None,
    warns: bool,
) -> None:
    """From the lengths, unless utterances and sentences differ too much; a given number is believed."""
    stays: list[float] = []
    monkeypatch.setattr(stage, "oversegment", lambda text, stay: stays.append(stay) or text)
    caplog.set_level(logging.INFO)
    _speak(folder / "segments.npy", [np.tile(sentence, repeats) for sentence in _sentences(40, seed=9)])
    _match(folder, [], replace(SETTINGS, clusters=[6], steps=1, segments_per_phone=given))
    assert ("Set match.segments_per_phone if you know the number" in caplog.text) == warns
    store = FrameStore(folder / "segments.npy")
    _, sentence = read_text(folder / "phones_text.txt", PHONES, SETTINGS)
    ratio = given or (stage.USUAL_RATIO if warns else store.offsets[-1] / len(store) / sentence)
    assert f"{ratio:.3f} segments per phone, 6 phones" in caplog.text
    assert stays == [pytest.approx(max(0.0, 1 - 1 / ratio))]


def test_too_little_audio(folder: Path) -> None:
    _speak(folder / "segments.npy", _sentences(19, seed=9))
    with pytest.raises(UserError, match=r"segments\.npy: 19 training utterances are too few.*split train"):
        _match(folder, [])
    spoken = _speak(folder / "segments.npy", _sentences(20, seed=9))
    with pytest.raises(UserError, match=rf"{len(spoken)} segments are too few for 5000 units.*match\.clusters"):
        _match(folder, [], replace(SETTINGS, clusters=[5000]))
    assert not (folder / "labels.npy").exists() and not (folder / "objectives.parquet").exists()


def test_read_text(tmp_path: Path) -> None:
    write_lines(tmp_path / "text.txt", ["a b a", "b"])
    statistics, length = read_text(tmp_path / "text.txt", ["<SIL>", "a", "b"], replace(SETTINGS, skips=1, positions=1))
    assert length == 2
    np.testing.assert_allclose(statistics.unigram, [0, 0.5, 0.5])
    np.testing.assert_allclose(statistics.skips[0], [[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]])
