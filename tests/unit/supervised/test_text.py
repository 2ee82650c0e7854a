import pytest

from unscribed.errors import UserError
from unscribed.supervised.text import supervised_text


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
