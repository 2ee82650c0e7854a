"""The stages speak and teacher on a little text, really spoken."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from unscribed.audio.features import FeatureSettings, features
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.tables import SentenceTable, VadTable
from unscribed.teacher import speak as speaking
from unscribed.teacher.frames import FEATURES
from unscribed.teacher.speak import SpeakSettings, SpokenTable, speak
from unscribed.teacher.train import CurveTable, SpokenFrames, TeacherSettings, teacher
from unscribed.text.inventory import write_inventory
from unscribed.text.silence import SILENCE

RATE = 16000
SPEAK = SpeakSettings(hours=0.06, rates_wpm=[150, 200], pitches=[30, 70], pitch_ranges=[30, 70])
TEACHER = TeacherSettings(
    channels=32,
    dropout=0.1,
    updates=60,
    batch_utterances=8,
    max_seconds=2.0,
    learning_rate=0.004,
    label_smoothing=0.05,
    check_every=30,
    device="cpu",
)
WORDS = (
    "the men of that city went out before dawn and took bread with water from his house while she gave them much gold "
    "then king said go up now into our land where you may find good fields many trees great rivers old stones "
    "seven young women spoke to each other about fire salt wine honey birds fish and sheep until night came down"
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "sentences.parquet"
    generator = np.random.default_rng(0)
    chosen = [list(generator.choice(WORDS.split(), 6)) for _ in range(60)]
    SentenceTable.from_rows((number, words, [[] for _ in words]) for number, words in enumerate(chosen)).write(path)
    return path


def speak_into(folder: Path, sentences: Path, threads: int = 2, **changes) -> Path:
    given = {"settings": SPEAK, "language": "en-us", "seed": 0, **changes}
    tables = {name: folder / f"{name}.parquet" for name in ("spoken", "manifest", "vad")}
    speak(
        sentences=sentences,
        margin_ms=50,
        sample_rate_hz=RATE,
        threads=threads,
        audio=folder / "audio",
        **tables,
        **given,
    )
    return folder


@pytest.fixture(scope="module")
def spoken(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = speak_into(tmp_path_factory.mktemp("spoken"), text)
    tables = {"manifest": folder / "manifest.parquet", "vad": folder / "vad.parquet"}
    settings = FeatureSettings(**FEATURES)
    features(**tables, settings=settings, sample_rate_hz=RATE, features=folder / "frames.npy", threads=1)
    phones = sorted(
        {phone for row in SpokenTable.read(folder / "spoken.parquet")["phones"] for phone in row} - {SILENCE}
    )
    write_inventory(folder / "phones.txt", [SILENCE, *phones])
    return folder


def test_the_text_is_spoken_by_many_voices_until_it_is_enough(spoken: Path) -> None:
    said, regions = SpokenTable.read(spoken / "spoken.parquet"), VadTable.read(spoken / "vad.parquet")
    assert said["voice"].nunique() > 20 and said["rate_wpm"].between(150, 200).all()
    assert said["sentence"].duplicated().any()  # 60 sentences are less than three and a half minutes
    seconds = regions["total_seconds"].sum()
    assert 0.06 * 3600 <= seconds < 0.06 * 3600 + 10
    for row, region in zip(said.itertuples(), regions.itertuples(), strict=True):
        starts = row.starts_seconds
        assert (np.diff(starts) >= 0).all() and starts[-1] <= row.end_seconds
        (start,), (end,) = region.starts_samples, region.ends_samples
        assert start <= starts[0] * RATE and row.end_seconds * RATE <= end + 1
    samples, rate = soundfile.read(spoken / "audio" / f"{said['utterance'][0]}.wav")
    assert rate == RATE and len(samples) == round(regions["total_seconds"][0] * RATE)


def test_a_text_that_is_too_short_is_spoken_again_and_the_log_says_so(
    text: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    sentences = SentenceTable.read(text)
    few = [(number, words, []) for number, words in enumerate(sentences["words"][:20])]
    SentenceTable.from_rows(few).write(tmp_path / "sentences.parquet")
    speak_into(tmp_path, tmp_path / "sentences.parquet", settings=replace(SPEAK, hours=0.03))
    said = SpokenTable.read(tmp_path / "spoken.parquet")
    assert said["sentence"].value_counts().max() > 1
    assert said.groupby("sentence")["voice"].nunique().max() > 1
    times = len(said) / 20
    assert "speak.hours: " in caplog.text and f"so 20 sentences were spoken {times:.1f} times over" in caplog.text


def test_what_is_spoken_depends_on_the_seed_alone(text: Path, tmp_path: Path) -> None:
    little = replace(SPEAK, hours=0.005)
    folders = {
        name: speak_into(tmp_path / name, text, settings=little, **changes)
        for name, changes in {"one": {"threads": 1}, "two": {"threads": 2}, "other": {"seed": 1}}.items()
    }
    files = {name: sorted((folder / "audio").iterdir()) for name, folder in folders.items()}
    assert [path.read_bytes() for path in files["one"]] == [path.read_bytes() for path in files["two"]]
    assert files["one"][0].read_bytes() != files["other"][0].read_bytes()


def test_every_frame_gets_the_phone_that_sounds_there(spoken: Path) -> None:
    phones = (spoken / "phones.txt").read_text().split()
    data = SpokenFrames(FrameStore(spoken / "frames.npy"), spoken / "spoken.parquet", spoken / "vad.parquet", phones)
    said = SpokenTable.read(spoken / "spoken.parquet").iloc[0]
    start = VadTable.read(spoken / "vad.parquet")["starts_samples"][0][0] / RATE
    for place, phone in enumerate(said["phones"]):
        after = [*said["starts_seconds"], said["end_seconds"]][place + 1]
        middle = ((said["starts_seconds"][place] + after) / 2 - start) / 0.01
        assert phones[data.labels[0][round(middle)]] == phone
    assert phones[data.labels[0][0]] == SILENCE == phones[data.labels[0][-1]]


def test_a_teacher_learns_and_is_the_same_twice(spoken: Path, tmp_path: Path) -> None:
    given = {"frames": spoken / "frames.npy", "spoken": spoken / "spoken.parquet", "vad": spoken / "vad.parquet"}
    for name in ("first", "second"):
        outputs = {"model": tmp_path / f"{name}.safetensors", "curves": tmp_path / f"{name}.parquet"}
        teacher(**given, **outputs, phones=spoken / "phones.txt", settings=TEACHER, seed=0, threads=1)
    assert (tmp_path / "first.safetensors").read_bytes() == (tmp_path / "second.safetensors").read_bytes()
    curves: pd.DataFrame = CurveTable.read(tmp_path / "first.parquet")
    assert curves["update"].tolist() == [30, 60]
    assert curves["heldout_loss"].iloc[-1] < curves["heldout_loss"].iloc[0]
    assert curves["heldout_accuracy"].iloc[-1] > 0.15  # the commonest phone has less


def test_bad_input(text: Path, spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"corpus\.language.*xx"):
        speak_into(tmp_path / "a", text, language="xx")
    SentenceTable.from_rows([(0, ["two", "words"], [[], []])]).write(tmp_path / "few.parquet")
    with pytest.raises(UserError, match=r"few\.parquet has fewer than 50 different words"):
        speak_into(tmp_path / "b", tmp_path / "few.parquet")
    signs = [(number, [f"{number}_" * 2 for number in range(60)], []) for number in range(2)]
    SentenceTable.from_rows(signs).write(tmp_path / "signs.parquet")
    with (
        monkeypatch.context() as patch,
        pytest.raises(UserError, match=r"nothing for any sentence of .*signs\.parquet"),
    ):
        patch.setattr(speaking, "_pauses_named", lambda phones: [])
        speak_into(tmp_path / "c", tmp_path / "signs.parquet")
    assert not (tmp_path / "c/audio").exists()
    given = {"frames": spoken / "frames.npy", "spoken": spoken / "spoken.parquet", "vad": spoken / "vad.parquet"}
    outputs = {"model": tmp_path / "model", "curves": tmp_path / "curves"}
    steep = replace(TEACHER, learning_rate=1e18, updates=4, check_every=4)
    with pytest.raises(UserError, match=r"teacher\.learning_rate"):
        teacher(**given, **outputs, phones=spoken / "phones.txt", settings=steep, seed=0, threads=1)
