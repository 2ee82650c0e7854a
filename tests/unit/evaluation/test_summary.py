from pathlib import Path

import pytest

from unscribed.artifacts import write_json
from unscribed.evaluation.summary import ROWS, WIDTH, print_summary, summary_lines


def test_numbers_and_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "rounds.png").touch()
    (tmp_path / "evaluate").mkdir()
    (tmp_path / "evaluate" / "utterances.parquet").touch()
    path = tmp_path / "metrics.json"
    write_json(
        path,
        {
            "test.wer": 0.25,
            "phone_lm.4.perplexity": 5.67,
            "test.per": 0.4321,
            "seconds.a": 100.0,
            "seconds.b": 50.0,
            "memory_mb.a": 10,
            "memory_mb.b": 2500,
        },
    )
    print_summary(path, tmp_path)
    shown = capsys.readouterr().out
    assert "25.0 %" in shown and "4-grams of phones" in shown and " 5.7 " in shown and "3-grams" not in shown
    assert "43.2 %" in shown and "2.5 min" in shown and "2.5 GB" in shown
    assert (
        "metrics.json" in shown and "figures/" in shown and "evaluate/utterances" in shown and "confusions" not in shown
    )


def test_without_transcripts_it_says_so(tmp_path: Path) -> None:
    text = "\n".join(summary_lines({"audio.hours": 1.5}, tmp_path))
    assert "1.50 h" in text and "no transcripts" in text and "by chance" not in text


def test_rounds_in_rows_of_80_columns(tmp_path: Path) -> None:
    metrics = {f"match.discrepancy.round{number}": 2 - number / 10 for number in range(1, 10)}
    metrics |= {f"test.per.match.round{number}": 0.5 for number in range(1, 9)}
    lines = summary_lines(metrics, tmp_path)
    place = next(place for place, line in enumerate(lines) if line.startswith("round"))
    assert [line.split() for line in lines[place : place + 6]] == [
        ["round", *"1234567"],
        ["discrepancy", "from", "text", "1.900", "1.800", "1.700", "1.600", "1.500", "1.400", "1.300"],
        ["phone", "error", "rate", *["50.0", "%"] * 7],
        ["round", *"89"],
        ["discrepancy", "from", "text", "1.200", "1.100"],
        ["phone", "error", "rate", "50.0", "%", "-"],
    ]
    assert max(map(len, lines)) <= WIDTH
    without = "\n".join(summary_lines({"match.discrepancy.round1": 1.0}, tmp_path))
    assert "discrepancy from text" in without and "phone error rate" not in without


def test_it_fits_80_columns(tmp_path: Path) -> None:
    metrics = {key: 1.0 for _, key, unit, _ in ROWS if unit != "time"} | {
        "word_lm.perplexity": 12345.67,
        "seconds.match": 59.0,
        "memory_mb.match": 999.0,
    }
    lines = summary_lines(metrics | {"text.sentences": 12345678}, tmp_path)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) == len(ROWS) + 5


def test_the_verdict_comes_first(tmp_path: Path) -> None:
    figure = {"value": 0.0123, "good": 0.06, "bad": 0.2, "meaning": "edits"}
    found = {"verdict": "learned", "advice": "Its words can be used. " * 5, "figures": {"edits": figure}}
    write_json(tmp_path / "verdict.json", found)
    lines = summary_lines({}, tmp_path)
    assert lines[1].startswith("Verdict without transcripts: learned. Its words can be used.")
    assert "edits 0.01 (good: 0.06)" in " ".join(lines) and max(map(len, lines)) <= WIDTH
