import logging

import numpy as np
import pytest
from helpers.tables import filled

from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.supervised.labels import flat_labels, reference_phones
from unscribed.tables import PhoneTable, ReferenceTable
from unscribed.text.silence import SILENCE


def test_flat_start(world, references, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        flat_labels(
            references=references,
            features=world.folder / "mfcc.npy",
            lexiconp=world.folder / "lexiconp.txt",
            language="en-us",
            labels=tmp_path / "labels.parquet",
        )
    assert "39 utterances; left out: 1 without transcript or with unknown words, 1 too short" in caplog.text
    first = PhoneTable.read(tmp_path / "labels.parquet").iloc[0]
    assert first["phones"][0] == first["phones"][-1] == SILENCE
    lengths = np.diff([*first["starts_frames"], first["frames"]])
    assert first["starts_frames"][0] == 0 and lengths.max() - lengths.min() <= 1


def test_phones_of_references_share_the_frames_of_their_utterance(tmp_path):
    """`b` has words alone, `c` no audio, `d` no reference; five frames for two phones begin at 0 and 2."""
    phones = {"a": ["t", "uː"], "b": [], "c": ["t"], "e": ["<SIL>", "t", "<SIL>"]}
    filled(ReferenceTable, utterance=phones, words=["to"] * 4, phones=phones.values()).write(
        tmp_path / "references.parquet"
    )
    with FrameWriter(tmp_path / "valid.npy", {"hop_ms": 10.0}) as writer:
        for name, frames in {"e": 9, "d": 4, "b": 3, "a": 5}.items():
            writer.append(name, np.zeros((frames, 2)))
    files = {"features": tmp_path / "valid.npy", "labels": tmp_path / "labels.parquet"}
    reference_phones(references=tmp_path / "references.parquet", **files)
    found = PhoneTable.read(files["labels"])
    assert found["utterance"].tolist() == ["e", "a"] and found["frames"].tolist() == [9, 5]
    assert [list(row) for row in found["phones"]] == [["<SIL>", "t", "<SIL>"], ["t", "uː"]]
    assert [list(row) for row in found["starts_frames"]] == [[0, 3, 6], [0, 2]]
    with pytest.raises(UserError, match=r"corpus\.folder\.transcripts is empty"):
        reference_phones(references=[], **files)
