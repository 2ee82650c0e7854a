import dataclasses

import numpy as np
import pytest
import soundfile

from unscribed.corpora import synthetic
from unscribed.corpora.build import write_spoken
from unscribed.corpora.espeak import EspeakSettings
from unscribed.errors import UserError
from unscribed.tables import RecordingTable, ReferenceTable

SETTINGS = EspeakSettings(
    voice="en-us",
    rate_wpm=175,
    translation="WEB",
    text_translation="WEB",
    train_hours=20 / 3600,
    valid_utterances=3,
    test_utterances=2,
    text_sentences=50,
    min_words=4,
    max_words=8,
)
BIBLE = {
    "WEB": [f"the {first} and the {second} went" for first in "abcdefgh" for second in "ijklmnop"],
    "KJV": ["THE A AND THE I WENT", *[f"and the {letter} of the king" for letter in "abcdefghijklmnopqrstuvwxyz"]],
}


@pytest.fixture(autouse=True)
def small_bible(monkeypatch):
    monkeypatch.setattr(synthetic, "clauses", lambda translation, low, high: list(BIBLE[translation]))


def make(folder, settings=SETTINGS, seed=0, threads=2):
    folder.mkdir()
    references = {f"references_{split}": folder / f"{split}.parquet" for split in ("train", "valid", "test")}
    write_spoken(
        reader="corpora.espeak:make_corpus",
        settings=dataclasses.asdict(settings),
        seed=seed,
        language=None,
        sample_rate_hz=16000,
        threads=threads,
        recordings=folder / "recordings.parquet",
        text=folder / "text.txt",
        audio=folder / "audio",
        **references,
    )
    tables = {split: ReferenceTable.read(folder / f"{split}.parquet") for split in ("train", "valid", "test")}
    text = (folder / "text.txt").read_text(encoding="utf-8").splitlines()
    return RecordingTable.read(folder / "recordings.parquet"), text, tables


def test_splits_audio_and_references_fit_together(tmp_path):
    recordings, text, references = make(tmp_path / "a", dataclasses.replace(SETTINGS, text_sentences=20))
    counts = recordings["split"].value_counts()
    assert counts["valid"] == 3 and counts["test"] == 2
    durations = dict.fromkeys(counts.index, 0.0)
    for row in recordings.itertuples():
        info = soundfile.info(row.path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        durations[row.split] += info.duration
        reference = references[row.split].set_index("utterance").loc[row.utterance]
        assert len(reference["phones"]) == len(reference["starts_seconds"]) > 5
        assert np.all(np.diff(reference["starts_seconds"]) > 0) and "" not in reference["phones"]
        assert reference["starts_seconds"][-1] < reference["end_seconds"] <= info.duration
    assert 20 <= durations["train"] < 23
    assert recordings["utterance"].tolist()[:2] == ["train-00001", "train-00002"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        ["audio", "recordings.parquet", "text.txt", "train.parquet", "valid.parquet", "test.parquet"]
    )
    spoken = {words for table in references.values() for words in table["words"]}
    assert len(text) == 20 and not spoken & {line.lower() for line in text}


def test_result_depends_on_the_seed_but_not_on_the_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "BATCH", 4)
    settings = dataclasses.replace(SETTINGS, text_sentences=10)
    one, two = (make(tmp_path / str(threads), settings, threads=threads) for threads in (1, 2))
    for first, second in zip(one[0]["path"], two[0]["path"], strict=True):
        np.testing.assert_array_equal(soundfile.read(first)[0], soundfile.read(second)[0])
    assert one[1] == two[1] and one[2]["test"].equals(two[2]["test"])
    assert make(tmp_path / "other", settings, seed=1)[1] != one[1]


def test_text_of_another_translation_leaves_out_what_is_spoken(tmp_path, monkeypatch):
    monkeypatch.setitem(BIBLE, "WEB", ["the a and the i went", *(f"the {a} went" for a in "jklmnopqrstuvwxyz" * 2)])
    settings = dataclasses.replace(SETTINGS, train_hours=1e-6, text_translation="KJV", text_sentences=26)
    monkeypatch.setattr(synthetic.random.Random, "shuffle", lambda self, items: None)
    _, text, references = make(tmp_path / "a", settings)
    assert references["train"]["words"].tolist() == ["the a and the i went"]
    assert sorted(text) == sorted(BIBLE["KJV"][1:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_hours": 1.0}, r"corpus.espeak.train_hours: the translation WEB has too few clauses"),
        ({"text_sentences": 60}, r"corpus.espeak.text_sentences: only \d+ of 60 sentences of WEB"),
        ({"voice": "xx-nope"}, "corpus.espeak.voice"),
        ({"min_words": 9}, "corpus.espeak.min_words is above"),
    ],
)
def test_impossible_settings_are_user_errors_and_leave_nothing(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        make(tmp_path / "a", dataclasses.replace(SETTINGS, **change))
    assert list((tmp_path / "a").iterdir()) == []
