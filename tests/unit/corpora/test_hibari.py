import dataclasses
import urllib.request

import numpy as np
import pytest
import soundfile

from unscribed.corpora import synthetic
from unscribed.corpora.build import write_spoken
from unscribed.corpora.espeak import EspeakSettings
from unscribed.corpora.hibari import HibariSettings, Synthesizer
from unscribed.errors import UserError
from unscribed.tables import RecordingTable, ReferenceTable

COMMON = {
    "translation": "WEB",
    "text_translation": "WEB",
    "train_hours": 1e-6,
    "valid_utterances": 3,
    "test_utterances": 2,
    "text_sentences": 5,
    "min_words": 4,
    "max_words": 8,
}
SETTINGS = HibariSettings(voice="heart", speed=1.0, **COMMON)
SENTENCE = "And God said let there be light"
SPLITS = ("train", "valid", "test")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """Empty the cache of voices, make the Bible small, and let every download fail."""

    def refuse(*_, **__):
        raise AssertionError("asked the network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path / "cache"))
    bible = [f"the {first} and the {second} went" for first in ("king", "sea", "lord") for second in ("sun", "ox")]
    bible += [f"{name}'s house fell down" for name in ("Levi", "Dan", "Gad", "Job", "Eve")]
    monkeypatch.setattr(synthetic, "clauses", lambda translation, low, high: list(bible))


def make(folder, settings=SETTINGS, threads=1, language="en-us"):
    folder.mkdir()
    references = {f"references_{split}": folder / f"{split}.parquet" for split in SPLITS}
    paths = {"recordings": folder / "recordings.parquet", "text": folder / "text.txt", "audio": folder / "audio"}
    common = {"seed": 3, "sample_rate_hz": 16000, "threads": threads, **paths, **references}
    kind = "espeak" if isinstance(settings, EspeakSettings) else "hibari"
    write_spoken(
        reader=f"corpora.{kind}:make_corpus", settings=dataclasses.asdict(settings), language=language, **common
    )
    return RecordingTable.read(paths["recordings"]), {
        split: ReferenceTable.read(folder / f"{split}.parquet") for split in SPLITS
    }


def test_a_sentence_sounds_the_same_whatever_was_spoken_before():
    synthesizer = Synthesizer("heart", 1.0, 16000)
    samples, phones = synthesizer.speak(SENTENCE)
    assert samples.dtype == np.int16 and 1.5 < len(samples) / 16000 < 4.0 and phones == []
    assert 3000 < np.abs(samples.astype(int)).max() < 32767
    synthesizer.speak("hiss")
    np.testing.assert_array_equal(synthesizer.speak(SENTENCE)[0], samples)
    other = Synthesizer("heart", 2.0, 8000).speak(SENTENCE)[0]
    assert 0.4 < len(other) / 8000 / (len(samples) / 16000) < 0.65  # twice as fast


def test_corpus_has_the_sentences_of_espeak_and_references_without_times(tmp_path):
    recordings, references = make(tmp_path / "one")
    again, _ = make(tmp_path / "two", threads=2)
    for first, second in zip(recordings["path"], again["path"], strict=True):
        samples, rate = soundfile.read(first, dtype="int16")
        assert rate == 16000
        np.testing.assert_array_equal(samples, soundfile.read(second, dtype="int16")[0])
    _, others = make(tmp_path / "espeak", EspeakSettings(voice="en-us", rate_wpm=175, **COMMON))
    assert (tmp_path / "one/text.txt").read_text() == (tmp_path / "espeak/text.txt").read_text()
    for split, count in zip(SPLITS, (1, 3, 2), strict=True):
        table = references[split]
        assert table["words"].tolist() == others[split]["words"].tolist() and len(table) == count
        for row in table.itertuples():
            assert len(row.phones) > 3 and len(row.starts_seconds) == 0 and np.isnan(row.end_seconds)


@pytest.mark.parametrize(
    ("settings", "language", "message"),
    [
        ({"voice": "hart"}, "en-us", r"corpus.hibari.voice: hibari has no voice 'hart'. Set it to one of heart, "),
        ({"voice": "emma"}, "en-gb", r"corpus.hibari.voice: emma is not on this machine, .* Set it to heart.*cache/"),
        ({"text_sentences": 50}, "en-us", r"corpus.hibari.text_sentences: only 5 of 50 sentences of WEB"),
        ({}, "xx-nope", "xx-nope"),
    ],
)
def test_impossible_settings_are_user_errors_and_leave_nothing(tmp_path, settings, language, message):
    with pytest.raises(UserError, match=message):
        make(tmp_path / "a", dataclasses.replace(SETTINGS, **settings), language=language)
    assert list((tmp_path / "a").iterdir()) == []
