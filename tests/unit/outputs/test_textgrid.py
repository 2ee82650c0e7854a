import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from unscribed.artifacts import write_json
from unscribed.errors import UserError
from unscribed.outputs.ctm import ctm
from unscribed.outputs.textgrid import complete_tier, file_name, textgrid, textgrid_text
from unscribed.tables import CutTable

FLAG = re.compile(r'"((?:[^"]|"")*)"|<exists>|(?<![\w\[])(\d+(?:\.\d+)?)(?![\w\]])')


def parse(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Read a TextGrid as Praat does: only free-standing numbers, quoted texts and flags count, in their order."""
    tokens = iter(
        found[1].replace('""', '"') if found[1] is not None else found[2] and float(found[2])
        for found in FLAG.finditer(text)
    )
    assert (next(tokens), next(tokens), next(tokens)) == ("ooTextFile", "TextGrid", 0)
    end, exists, count = next(tokens), next(tokens), next(tokens)
    assert exists is None
    tiers = {}
    for _ in range(int(count)):
        assert next(tokens) == "IntervalTier"
        name, start, stop, size = (next(tokens) for _ in range(4))
        tiers[name] = [(next(tokens), next(tokens), next(tokens)) for _ in range(int(size))]
        assert (start, stop) == (0, end) == (tiers[name][0][0], tiers[name][-1][1]), "the tier is not complete"
        assert all(left[1] == right[0] for left, right in itertools.pairwise(tiers[name])), "the tier has holes"
        assert all(first < last for first, last, _ in tiers[name]), "an interval without length"
    assert next(tokens, "end") == "end"
    return tiers


def run_textgrid(decoded: dict[str, Path], folder: Path, **given: Any) -> Path:
    paths = {"phones_ctm": folder / "phones.ctm.parquet", "words_ctm": folder / "words.ctm.parquet"}
    cuts = given.get("cuts")
    ctm(words=decoded["words"], vad=decoded["vad"], hop_ms=10.0, sample_rate_hz=16000, cuts=cuts, **paths)
    textgrid(**paths, vad=decoded["vad"], folder=folder / "textgrid/test", **given)
    return folder / "textgrid/test"


def test_tiers_by_hand(decoded: dict[str, Path], tmp_path: Path) -> None:
    folder = run_textgrid(decoded, tmp_path)
    (folder / "of an earlier run").touch()
    run_textgrid(decoded, tmp_path)  # replaces the folder
    assert sorted(path.name for path in folder.iterdir()) == [
        *("a.TextGrid", "b%2Fc.TextGrid", "lost.TextGrid", "still.TextGrid")
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["test"]
    tiers = parse((folder / "a.TextGrid").read_text(encoding="utf-8"))
    assert list(tiers) == ["words", "phones"]
    assert tiers["words"] == [(0, 0.12, ""), (0.12, 0.3, "tea"), (0.3, 0.5, ""), (0.5, 0.59, "so"), (0.59, 0.7, "")]
    assert [label for *_, label in tiers["phones"]] == ["", "t", "iː", "", "s", "s", ""]
    other = parse((folder / "b%2Fc.TextGrid").read_text(encoding="utf-8"))
    assert other["words"] == [(0, 0.1, ""), (0.1, 1.15, "o'é"), (1.15, 1.25, "")]
    for name, seconds in (("lost", 0.5), ("still", 0.4)):
        tiers = parse((folder / f"{name}.TextGrid").read_text(encoding="utf-8"))
        assert tiers == {"words": [(0, seconds, "")], "phones": [(0, seconds, "")]}


def test_odd_intervals_make_a_complete_tier() -> None:
    # a rounding error of 1 µs before, an overlap, no length, beyond the end
    odd = [(1, 10, "a"), (8, 20, "b"), (20, 20, "c"), (30, 45, 'say "d"'), (50, 60, "e")]
    tier = complete_tier(odd, 40)
    assert tier == [(0, 10, "a"), (10, 20, "b"), (20, 30, ""), (30, 40, 'say "d"')]
    assert parse(textgrid_text({"words": tier}, 40))["words"][-1] == (0.00003, 0.00004, 'say "d"')


def test_names_are_safe_and_do_not_collide() -> None:
    long = "ä" * 300
    names = ["a/b", "a%2Fb", "a\\b", ".a", "a.b", "..", "ʃpräːxə 1", long, long + "b", file_name(long)]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(files)
    assert not any("/" in name or name.startswith(".") or len(name.encode()) > 220 for name in files)
    assert file_name("ʃpräːxə 1") == "ʃpräːxə 1" and file_name("..") == "%2E."


def test_tables_of_other_runs_are_refused(decoded: dict[str, Path], table: Any, tmp_path: Path) -> None:
    folder = run_textgrid(decoded, tmp_path)
    paths = {"phones_ctm": tmp_path / "phones.ctm.parquet", "words_ctm": tmp_path / "words.ctm.parquet"}
    with pytest.raises(UserError, match=r"words\.parquet has no column channel: it is not a CtmTable"):
        textgrid(**(paths | {"words_ctm": decoded["words"]}), vad=decoded["vad"], folder=folder)
    table("vad", [("b/c", [0], [3200], 0.2, 1.25)])
    with pytest.raises(UserError, match=r"words\.ctm\.parquet has 1 utterances that .*vad\.parquet lacks, .* a:"):
        textgrid(**paths, vad=decoded["vad"], folder=folder)
    assert (folder / "a.TextGrid").exists()  # the old folder stays


def test_a_run_that_did_not_learn_gives_a_note(decoded: dict[str, Path], tmp_path: Path) -> None:
    write_json(tmp_path / "verdict.json", {"verdict": "did not learn"})
    folder = run_textgrid(decoded, tmp_path, verdict=tmp_path / "verdict.json")
    assert [path.name for path in folder.iterdir()] == ["did-not-learn.txt"]
    assert "did not learn" in (folder / "did-not-learn.txt").read_text()
    assert (run_textgrid(decoded, tmp_path, verdict=tmp_path / "verdict.json", unlearned=True) / "a.TextGrid").is_file()


def test_pieces_of_a_recording_are_joined_again(decoded: dict[str, Path], tmp_path: Path) -> None:
    """With their times in it: `a` starts after 10 s of a tape of 60 s, `b/c` after 20 s."""
    rows = [("a", "tape", 10.0, 60.0), ("b/c", "tape", 20.0, 60.0), ("of another split", "tape", 30.0, 60.0)]
    CutTable.from_rows(rows).write(tmp_path / "cuts.parquet")
    alone = run_textgrid(decoded, tmp_path)
    words = {name: parse((alone / f"{name}.TextGrid").read_text())["words"] for name in ("a", "b%2Fc")}
    folder = run_textgrid(decoded, tmp_path, cuts=tmp_path / "cuts.parquet")
    assert {path.name for path in folder.iterdir()} == {"tape.TextGrid", "lost.TextGrid", "still.TextGrid"}
    joined = parse((folder / "tape.TextGrid").read_text())["words"]
    said = [(start + by, end + by, word) for name, by in (("a", 10), ("b%2Fc", 20)) for start, end, word in words[name]]
    expected = [interval for interval in said if interval[2]]
    found = [interval for interval in joined if interval[2]]
    assert [word for *_, word in found] == [word for *_, word in expected]
    assert [start for start, *_ in found] == pytest.approx([start for start, *_ in expected])
    assert joined[-1][1] == 60.0
