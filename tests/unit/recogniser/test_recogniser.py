import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.toy_recogniser import PAUSE_SECONDS, PHONE_SECONDS, RATE, Toy

from unscribed import Recogniser
from unscribed.artifacts import read_json, write_json
from unscribed.audio.cut import WINDOW_SECONDS
from unscribed.errors import UserError
from unscribed.recogniser.ears import HmmEar

PAUSE_SECONDS_BETWEEN = 0.6  # with those at the ends of sentences long enough that each is recognised alone


def test_words_and_their_times(toy: Toy, recording: Path) -> None:
    """Times are those of the file, whose pauses the recogniser has not heard."""
    transcript = Recogniser(toy.folder).transcribe(recording)
    assert transcript.text == "ca ba kah"
    assert transcript.seconds == pytest.approx(2 * PAUSE_SECONDS + 6 * PHONE_SECONDS)
    starts = [PAUSE_SECONDS + PHONE_SECONDS * phones for phones in (0, 2, 4)]
    assert [word.start for word in transcript.words] == pytest.approx(starts, abs=0.04)
    assert transcript.words[-1].end == pytest.approx(transcript.seconds - PAUSE_SECONDS, abs=0.04)
    assert all(0 <= word.confidence <= 1 for word in transcript.words)
    phones = [phone.symbol for phone in transcript.utterances[0].phones if phone.symbol != "<SIL>"]
    assert phones == list("cabaca")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_long_recording_has_the_words_of_its_parts(toy: Toy, tmp_path: Path, threads: int) -> None:
    """It is longer than what is read at once, and has two channels."""
    sentences = [["ca", "ba"], ["ba", "kah", "ba"], ["ca", "ba", "kah"]] * 30
    pause = np.zeros(round(PAUSE_SECONDS_BETWEEN * RATE), dtype=np.float32)
    parts = [np.concatenate([toy.say(words, seed), pause]) for seed, words in enumerate(sentences)]
    samples = np.concatenate(parts)
    assert len(samples) / RATE > WINDOW_SECONDS
    soundfile.write(tmp_path / "long.wav", np.stack([samples, samples], axis=1), RATE, subtype="FLOAT")
    transcript = Recogniser(toy.folder, threads).transcribe(tmp_path / "long.wav")
    spoken = [word for words in sentences for word in words]
    assert [word.text for word in transcript.words] == spoken
    edges = np.cumsum([0, *map(len, parts)]) / RATE
    firsts = np.cumsum([0, *map(len, sentences)])[:-1]
    starts = np.array([word.start for word in transcript.words])
    np.testing.assert_allclose(starts[firsts], edges[:-1] + PAUSE_SECONDS, atol=0.05)
    assert all(first.end <= second.start for first, second in pairwise(transcript.words))


@pytest.mark.parametrize("seconds", [0.0, 0.01, 3.0])
def test_nothing_is_heard_in_silence(toy: Toy, seconds: float) -> None:
    assert list(Recogniser(toy.folder).utterances([np.zeros(round(seconds * RATE), dtype=np.float32)])) == []


def test_results_of_a_corpus_are_taken_for_their_recogniser(toy: Toy) -> None:
    assert Recogniser(toy.folder.parent).folder == toy.folder


def test_other_folders_are_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no recogniser, or a damaged one .*`unscribed export`"):
        Recogniser(tmp_path)
    card = read_json(toy.folder / "recogniser.json")
    write_json(tmp_path / "recogniser.json", card | {"format": 99})
    with pytest.raises(UserError, match="comes from a later version"):
        Recogniser(tmp_path)
    write_json(tmp_path / "recogniser.json", card)
    with pytest.raises(UserError, match=r"model\.safetensors"):
        Recogniser(tmp_path)


def test_a_file_counts_as_one_speaker(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its pieces are heard before the first is recognised, and their frames are even over the file."""
    folder = shutil.copytree(toy.folder, tmp_path / "recogniser")
    card = read_json(folder / "recogniser.json")
    write_json(folder / "recogniser.json", card | {"features": card["features"] | {"mean_norm": "speaker"}})
    pause = np.zeros(round(PAUSE_SECONDS_BETWEEN * RATE), dtype=np.float32)
    parts = [part for seed in range(3) for part in (10.0**-seed * toy.say(["ca", "ba"], seed), pause)]
    soundfile.write(tmp_path / "three.wav", np.concatenate(parts), RATE, subtype="FLOAT")
    recogniser, seen = Recogniser(folder, 1), []

    def heard(self: HmmEar, samples: np.ndarray) -> None:
        seen.append(self.frames(samples)[0])

    monkeypatch.setattr(HmmEar, "__call__", heard)
    recogniser.transcribe(tmp_path / "three.wav")
    together = np.concatenate(seen)
    assert len(seen) > 1 and np.abs(seen[0].mean(0)).max() > 0.05
    np.testing.assert_allclose(together.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(together.std(0), 1, atol=1e-2)
