import logging
from pathlib import Path
from typing import Any

import pytest

from unscribed.errors import UserError
from unscribed.outputs.ctm import ctm
from unscribed.tables import CtmTable


def run_ctm(decoded: dict[str, Path], folder: Path) -> list[list[list[Any]]]:
    paths = [folder / "test.phones.parquet", folder / "test.words.parquet"]
    ctm(
        words=decoded["words"],
        vad=decoded["vad"],
        hop_ms=10.0,
        sample_rate_hz=16000,
        phones_ctm=paths[0],
        words_ctm=paths[1],
    )
    assert all((CtmTable.read(path)["channel"] == "1").all() for path in paths)
    return [CtmTable.read(path).drop(columns="channel").values.tolist() for path in paths]


def test_times_are_those_of_the_original_audio(
    decoded: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        phones, words = run_ctm(decoded, tmp_path)
    assert "4 utterances: 9 phones, 3 words; 1 without a path" in caplog.text
    nothing = pytest.approx(float("nan"), nan_ok=True)
    expected = [
        ("a", 0.1, 0.02, "<SIL>", nothing),
        ("a", 0.12, 0.08, "t", 0.5),
        ("a", 0.2, 0.1, "iː", 0.5),  # ends on the joint: 0.3 s, not 0.5 s
        ("a", 0.5, 0.06, "s", 0.75),  # begins there
        ("a", 0.56, 0.03, "s", 0.75),
        ("a", 0.59, 0.01, "<SIL>", nothing),
        ("b/c", 0.1, 0.05, "o", 1.0),
        ("b/c", 0.15, 1.05, "e", 1.0),  # over the joint: contains the 0.8 s that were removed
        ("still", 0.0, 0.1, "<SIL>", nothing),
    ]
    assert [tuple(row) for row in phones] == [
        (name, pytest.approx(start), pytest.approx(length), symbol, confidence)
        for name, start, length, symbol, confidence in expected
    ]
    assert [tuple(row) for row in words] == [
        ("a", pytest.approx(0.12), pytest.approx(0.18), "tea", 0.5),
        ("a", pytest.approx(0.5), pytest.approx(0.09), "so", 0.75),
        ("b/c", pytest.approx(0.1), pytest.approx(1.05), "o'é", 1.0),
    ]


def test_frames_past_the_end_have_no_negative_duration(table: Any, tmp_path: Path) -> None:
    # 1605 samples of speech in two regions: frame 10 begins 5 samples before their end, frame 11 after it
    row = ("u", [], [], [], [], ["a", "b", "c"], [0, 10, 11], 12, [], [], "ok")
    decoded = {"words": table("words", [row]), "vad": table("vad", [("u", [0, 800], [400, 2005], 0.1, 0.2)])}
    phones, words = run_ctm(decoded, tmp_path)
    assert [row[2] for row in phones] == pytest.approx([2000 / 16000, 5 / 16000, 0]) and not words


def test_tables_of_other_runs_are_refused(decoded: dict[str, Path], table: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vad\.parquet has no column words: it is not a WordTable"):
        run_ctm(decoded | {"words": decoded["vad"]}, tmp_path)
    table("vad", [("a", [1600], [4800], 0.2, 0.7)])
    with pytest.raises(UserError, match=r"vad\.parquet lacks 3 utterances, for example b/c: .*another run"):
        run_ctm(decoded, tmp_path)
