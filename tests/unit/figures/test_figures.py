import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from unscribed.artifacts import write_json
from unscribed.errors import UserError
from unscribed.evaluation import tables
from unscribed.figures import overview as figures
from unscribed.figures import phone_classes, spectrogram
from unscribed.figures import utterance as figures_utterance
from unscribed.figures import words as figures_words
from unscribed.figures.utterance import Box, ReportSettings

PHONES = """iː ɪ ᵻ eɪ ɛ æ ɑː ɔːɹ ʊ uː ʌ ɜː ə əl ɚ aɪɚ ɔ̃ p b t d k ɡ ʔ t͡ʃ dʒ
f v θ ð s z ʃ ʒ h ç m n n̩ ŋ l ɹ ɾ j w tʲ"""


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Missing glyphs and layouts that do not fit are warnings of matplotlib."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def assert_drawn(path: Path, inked: float = 0.01) -> None:
    image = plt.imread(path)[..., :3]
    assert min(image.shape[:2]) > 200
    assert (image.min(axis=2) < 0.9).mean() > inked, "the figure is blank"
    assert not plt.get_fignums(), "the figure stays in memory"


def draw_utterance(run: Any, index: str, references: list[str]) -> Path:
    path = run.root / "figures" / f"utterance{index}.png"
    figures_utterance.utterance_figure(
        manifest=run.path("manifest/test.parquet"),
        vad=run.path("vad/test.parquet"),
        boundaries=run.path("segment/test.boundaries.parquet"),
        decoded=run.path("decode/test.parquet"),
        index=index,
        settings=ReportSettings(utterances=2),
        sample_rate_hz=16000,
        hop_ms=10.0,
        figure=path,
        references=references,
    )
    return path


def test_utterances_with_and_without_transcript(finished: Any) -> None:
    assert_drawn(draw_utterance(finished, "0", finished.paths("references/test.parquet")), 0.2)
    assert_drawn(draw_utterance(finished, "1", []), 0.2)


def test_nothing_decoded_is_refused(finished: Any) -> None:
    finished.table("decode/test.parquet", [], finished.decoded_schema)
    with pytest.raises(UserError, match=r"decode/test\.parquet has no utterances"):
        draw_utterance(finished, "0", [])


def test_boxes_by_hand() -> None:
    recognised = figures_utterance.recognised_boxes(
        ["<SIL>", "<SIL>", "a", "a", "b"], np.array([0.0, 0.1, 0.2, 0.3, 0.5]), 0.9
    )
    assert recognised == [Box("<SIL>", 0.0, 0.2), Box("a", 0.2, 0.5), Box("b", 0.5, 0.9)]
    # speech: 0.1-0.3 s and 0.5-0.6 s of the original; the silence between is removed
    region = pd.Series({"starts_samples": [1600, 8000], "ends_samples": [4800, 9600], "total_seconds": 1.0})
    reference = pd.Series(
        {"phones": ["a", "<SIL>", "b"], "starts_seconds": np.array([0.1, 0.3, 0.5]), "end_seconds": np.nan}
    )
    boxes = figures_utterance.reference_boxes(reference, region, 0.3, 16000)
    assert [box.phone for box in boxes] == ["a", "b"]
    assert [(box.start, box.end) for box in boxes] == [pytest.approx((0, 0.2)), pytest.approx((0.2, 0.3))]
    reference["starts_seconds"] = np.zeros(0)
    boxes = figures_utterance.reference_boxes(reference, region, 0.3, 16000)
    assert [(box.start, box.end) for box in boxes] == [pytest.approx((0, 0.15)), pytest.approx((0.15, 0.3))]


def test_spectrogram_shows_a_tone_at_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    band = spectrogram.log_mel(tone, 16000).mean(axis=1).argmax()
    expected = spectrogram.hertz_to_mel(1000) / spectrogram.hertz_to_mel(8000) * spectrogram.MEL_BANDS
    assert abs(band + 0.5 - expected) <= 1
    assert spectrogram.log_mel(np.zeros(2), 16000).shape[0] == spectrogram.MEL_BANDS


@pytest.mark.parametrize("known", [True, False])
def test_rounds(finished: Any, known: bool) -> None:
    history = pd.DataFrame(
        [
            (seed, number, seed == 1, 2.0 - number, 0.9 - 0.1 * number if known else np.nan)
            for seed in (0, 1, 2)
            for number in (1, 2)
        ],
        columns=["seed", "round", "selected", "loss", "per"],
    )
    path, figure = finished.root / "rounds.parquet", finished.root / "rounds.png"
    tables.write_rounds(path, history)
    figures.rounds_figure(rounds=path, restarts=finished.paths("match/seed*/round*/losses.parquet"), figure=figure)
    assert_drawn(figure)


def test_only_the_last_units_of_a_round_are_dots(finished: Any) -> None:
    assert figures.last_losses(finished.path("match/seed0/round1/losses.parquet")).tolist() == [3.0, 2.0]


def test_confusions(finished: Any) -> None:
    phones = PHONES.split()
    path, figure = finished.root / "confusions.parquet", finished.root / "confusions.png"
    pairs = [*zip(phones, phones, strict=True), *itertools.pairwise(phones), ("p", ""), ("", "ə")]
    tables.write_confusions(path, {"u": pairs})
    figures.confusions_figure(confusions=path, figure=figure)
    assert_drawn(figure)
    tables.write_confusions(path, {})
    figures.confusions_figure(confusions=path, figure=figure)
    assert_drawn(figure, 0.005)


def test_seconds(finished: Any) -> None:
    path, figure = finished.root / "metrics.json", finished.root / "seconds.png"
    write_json(path, {"seconds.match": 4000.0, "memory_mb.match": 900, "seconds.vad": 75.0, "seconds.silence": 0.1})
    figures.seconds_figure(metrics=path, figure=figure)
    assert_drawn(figure)
    write_json(path, {})
    figures.seconds_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.005)


def test_phones_are_sorted_by_class() -> None:
    assert sorted(["n̩", "s", "tʃ", "ɔː", "t", "iː", "w", "#"], key=phone_classes.sort_key) == [
        *("iː", "ɔː", "t", "tʃ", "s", "n̩", "w", "#")
    ]
    named = {
        "th": "fricatives",
        "jh": "affricates",
        "aa": "vowels",
        "dx": "liquids, glides",
        "hh": "fricatives",
        "ŋ": "nasals",
    }
    assert {phone: phone_classes.phone_class(phone) for phone in named} == named


def test_word_errors(finished: Any) -> None:
    path, figure = finished.root / "errors.parquet", finished.root / "words.png"
    pairs = [(f"w{number}", "$x$ ʃ") for number in range(30)] + [("the", ""), ("", "the"), ("right", "right")]
    tables.write_word_errors(path, {"u": pairs, "v": pairs[-3:]})
    figures_words.words_figure(word_errors=path, figure=figure)
    assert_drawn(figure, 0.05)
    tables.write_word_errors(path, {})
    figures_words.words_figure(word_errors=path, figure=figure)
    assert_drawn(figure, 0.005)


def test_hmm_steps(finished: Any) -> None:
    path, figure = finished.root / "metrics.json", finished.root / "hmm.png"
    steps = {f"test.per.hmm.step{step}": 0.4 - step / 50 for step in range(1, 12)}
    write_json(path, {"test.per": 0.4, "test.words.per": 0.3, **steps})
    figures_words.hmm_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.05)
    write_json(path, {})
    figures_words.hmm_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.005)
