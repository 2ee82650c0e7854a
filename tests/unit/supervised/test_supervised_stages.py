"""The supervised recogniser's text, flat start and alignments, in the little language of conftest.py."""

import logging

import kaldialign
import numpy as np
import pytest
from helpers.tables import filled

from unscribed.errors import UserError
from unscribed.supervised.stages import flat_labels, supervised_text, word_alignment
from unscribed.tables import PhoneTable, ReferenceTable
from unscribed.text.silence import SILENCE, strip_silence


@pytest.fixture(scope="module")
def references(world, tmp_path_factory):
    """Transcripts with capitals and full stops; one with an unknown word, one of an utterance with a single frame."""
    said = {name: " ".join(words).capitalize() + "." for name, words in world.words.items()}
    said |= {list(said)[3]: "ab zebra", "short": "ab abc"}
    path = tmp_path_factory.mktemp("references") / "train.parquet"
    filled(ReferenceTable, utterance=said, words=said.values()).write(path)
    return path


def test_text_gets_the_transcripts(references, tmp_path):
    (tmp_path / "text.txt").write_text("ca ab\n\nba kah\n")
    supervised_text(references=references, text=tmp_path / "text.txt", language="en-us", joined=tmp_path / "joined.txt")
    lines = (tmp_path / "joined.txt").read_text().splitlines()
    assert lines[:2] == ["ca ab", "ba kah"] and "ab zebra" in lines and len(lines) == 2 + 41
    assert not any("." in line or line != line.lower() for line in lines)


def test_no_transcripts(tmp_path):
    (tmp_path / "text.txt").write_text("ca ab\n")
    with pytest.raises(UserError, match=r"corpus\.folder\.transcripts is empty"):
        supervised_text(references=[], text=tmp_path / "text.txt", language="en-us", joined=tmp_path / "joined.txt")


def test_flat_start(world, references, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        flat_labels(
            references=references,
            features=world.folder / "mfcc.npy",
            lexiconp=world.folder / "lexiconp.txt",
            language="en-us",
            labels=tmp_path / "labels.parquet",
        )
    assert "39 utterances; left out: 1 without known words, 1 too short" in caplog.text
    first = PhoneTable.read(tmp_path / "labels.parquet").iloc[0]
    assert first["phones"][0] == first["phones"][-1] == SILENCE
    lengths = np.diff([*first["starts_frames"], first["frames"]])
    assert first["starts_frames"][0] == 0 and lengths.max() - lengths.min() <= 1


def test_alignment_chooses_pronunciations_and_silences(world, train, references, tmp_path):
    """The model of the noisy labels is good enough to find which way a word was said, and where it paused."""
    word_alignment(
        references=references,
        features=world.folder / "mfcc.npy",
        model=train("mfcc", world.folder / "labels.parquet", 1),
        lexiconp=world.folder / "lexiconp.txt",
        word_symbols=world.folder / "words.txt",
        silence=world.silence,
        language="en-us",
        threads=2,
        aligned=tmp_path / "aligned.parquet",
    )
    aligned = PhoneTable.by_utterance(tmp_path / "aligned.parquet")
    unknown = list(world.words)[3]
    assert not len(aligned.loc[unknown, "phones"]) and not len(aligned.loc["short", "phones"])
    names = [name for name in world.phones if name != unknown]
    spoken = sum(
        kaldialign.edit_distance(strip_silence(world.phones[name]), strip_silence(aligned.loc[name, "phones"]))["total"]
        for name in names
    )
    pauses = sum(
        kaldialign.edit_distance(world.phones[name], list(aligned.loc[name, "phones"]))["total"] for name in names
    )
    total = sum(len(world.phones[name]) for name in names)
    assert spoken < 0.03 * total and pauses < 0.1 * total
