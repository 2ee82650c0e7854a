"""Candidates of the label-free choice, written by hand, and audio that one of them fits."""

import math
from pathlib import Path

import numpy as np
import pytest

from helpers.settings import decode_settings
from unscribed.artifacts import write_lines
from unscribed.frames import FrameWriter
from unscribed.tables import PhoneTable
from unscribed.text.silence import SilenceSettings

PHONES = ["<SIL>", "a", "b"]
SILENCE = SilenceSettings(0.3, True)
SETTINGS = decode_settings(prior_weight=0.3)
LENGTH = 5  # frames of each phone
GOOD = [["a", "b", "a"], ["b", "a"]] * 4
ONE_PHONE, SILENT = [["a"] for _ in GOOD], [["<SIL>"], []] * 4
UTTERANCES = ([0, 0, 1, 1, 1, 2, 2], [2, 2, 2, 1, 1, 1])  # a phone per frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trigram model that knows no bigrams but `a b`, which is likely, and the inventory."""
    lines = ["\\data\\", "ngram 1=5", "ngram 2=1", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0"]
    lines += [f"{math.log10(0.25):.6f}\t{token}\t0" for token in [*PHONES, "</s>"]]
    lines += ["\\2-grams:", f"{math.log10(0.5):.6f}\ta b\t0", "\\3-grams:", "\\end\\"]
    write_lines(tmp_path / "lm.arpa", lines)
    write_lines(tmp_path / "phones.txt", PHONES)
    return tmp_path


def write_phones(path: Path, phones: list[list[str]], utterances: list[str] | None = None) -> str:
    """A decode of utterances u0, u1 …, as long as those of `write_audio`; the last phone lasts to the end."""
    names = utterances or [f"u{number}" for number in range(len(phones))]
    lengths = {f"u{number}": LENGTH * len(said) for number, said in enumerate(GOOD)}
    rows = [
        (name, found, [LENGTH * place for place in range(len(found))])
        for name, found in zip(names, phones, strict=True)
    ]
    PhoneTable.from_rows((*row, lengths.get(row[0], 1)) for row in rows).write(path)
    return str(path)


def write_audio(folder: Path) -> Path:
    """Frames of the phones that GOOD has, each a phone's own point and a little noise."""
    rng = np.random.default_rng(0)
    with FrameWriter(folder / "valid.npy", {"hop_ms": 10.0}) as writer:
        for number, said in enumerate(GOOD):
            points = np.eye(3)[[PHONES.index(phone) for phone in said]].repeat(LENGTH, axis=0)
            writer.append(f"u{number}", (points + 0.1 * rng.normal(size=points.shape)).astype(np.float32))
    return folder / "valid.npy"
