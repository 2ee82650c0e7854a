import numpy as np
import pytest

from unscribed.tables import SentenceTable
from unscribed.text.silence import SilenceSettings, insert_silence, silence, strip_silence

WORDS = [["ð", "ə"], ["k", "æ", "t"], ["t"]]


def insert(words, probability, surround):
    return " ".join(insert_silence(words, SilenceSettings(probability, surround), np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("probability", "surround", "line"),
    [
        (0.0, False, "ð ə k æ t t"),
        (0.0, True, "<SIL> ð ə k æ t t <SIL>"),
        (1.0, False, "ð ə <SIL> k æ t <SIL> t"),
        (1.0, True, "<SIL> ð ə <SIL> k æ t <SIL> t <SIL>"),
    ],
)
def test_extremes(probability, surround, line):
    assert insert(WORDS, probability, surround) == line


def test_silences_never_touch():
    words = [["<SIL>"], ["a"], ["<SIL>"], ["<SIL>"], ["a"], ["<SIL>"]]
    assert insert(words, 1.0, True) == "<SIL> a <SIL> a <SIL>"
    assert insert(words, 0.0, False) == "<SIL> a <SIL> a <SIL>"


def test_silence_is_stripped():
    assert strip_silence(["<SIL>", "a", "<SIL>", "a"]) == ["a", "a"]


def test_one_word():
    assert insert([["a"]], 1.0, False) == "a"


def test_stage_is_seeded_and_draws_with_the_probability(tmp_path):
    count = 2000
    table = SentenceTable(sentence=range(count), words=[["the", "cat", "t"]] * count, phones=[WORDS] * count)
    table.write(tmp_path / "sentences.parquet")
    texts = []
    for seed in (3, 3, 4):
        path = tmp_path / "phones.txt"
        silence(
            sentences=tmp_path / "sentences.parquet", settings=SilenceSettings(0.25, True), seed=seed, phones_text=path
        )
        texts.append(path.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] != texts[2]
    inner = texts[0].count("<SIL>") - 2 * count
    assert abs(inner / (2 * count) - 0.25) < 0.03  # 4 standard deviations
    assert len(texts[0].splitlines()) == count
