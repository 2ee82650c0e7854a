import json
from pathlib import Path

import pytest

from unscribed.recogniser.formats import CUE_SECONDS, FORMATS, cues
from unscribed.recogniser.transcript import Phone, Transcript, Utterance, Word
from unscribed.tables import CtmTable


def words(text: str, start: float, seconds: float = 0.5) -> list[Word]:
    return [
        Word(word, start + place * seconds, start + (place + 1) * seconds, 0.9)
        for place, word in enumerate(text.split())
    ]


@pytest.fixture
def transcript() -> Transcript:
    """Two utterances with words, one without a path."""
    first = Utterance(1.0, 2.0, words("so it", 1.0), [Phone("s", 1.0, 1.2), Phone("<SIL>", 1.2, 2.0)])
    second = Utterance(3661.5, 3662.0, words("goes", 3661.5), [Phone("ɡ", 3661.5, 3662.0)])
    return Transcript(Path("two words.wav"), 3663.0, [first, Utterance(2.5, 2.6, [], []), second])


def written(transcript: Transcript, name: str, folder: Path) -> str:
    FORMATS[name](transcript, folder / "made")
    return (folder / "made").read_text(encoding="utf-8")


def test_text_json_and_subtitles(transcript: Transcript, tmp_path: Path) -> None:
    assert written(transcript, "txt", tmp_path) == "so it\ngoes\n"
    times = "00:00:01,000 --> 00:00:02,000\nso it", "01:01:01,500 --> 01:01:02,000\ngoes"
    assert written(transcript, "srt", tmp_path) == f"1\n{times[0]}\n\n2\n{times[1]}\n"
    assert written(transcript, "vtt", tmp_path) == "WEBVTT\n\n" + "\n\n".join(times).replace(",", ".") + "\n"
    found = json.loads(written(transcript, "json", tmp_path))
    assert found["seconds"] == 3663.0 and found["utterances"][0]["text"] == "so it"
    assert found["utterances"][2]["words"] == [{"text": "goes", "start": 3661.5, "end": 3662.0, "confidence": 0.9}]


def test_intervals(transcript: Transcript, tmp_path: Path) -> None:
    assert written(transcript, "ctm", tmp_path).splitlines()[0] == "two_words 1 1.000 0.500 so 0.900"
    FORMATS["parquet"](transcript, tmp_path / "made")
    table = CtmTable.read(tmp_path / "made")
    assert table["symbol"].tolist() == ["so", "it", "goes"] and table["start_seconds"].tolist() == [1.0, 1.5, 3661.5]
    grid = written(transcript, "textgrid", tmp_path)
    assert 'name = "words"' in grid and 'text = "goes"' in grid and 'text = "ɡ"' in grid and "SIL" not in grid
    assert "xmax = 3663" in grid


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_without_words_has_every_file(name: str, tmp_path: Path) -> None:
    FORMATS[name](Transcript(Path("silent.wav"), 2.0, []), tmp_path / "made")
    assert (tmp_path / "made").is_file()


def test_subtitles_end_at_pauses_and_when_they_are_full() -> None:
    def shown(*lists: list[Word]) -> list[str]:
        found = [word for part in lists for word in part]
        utterance = Utterance(0.0, 60.0, found, [])
        return [" ".join(word.text for word in cue) for cue in cues(Transcript(Path("a.wav"), 60.0, [utterance]))]

    assert shown(words("one two", 0.0), words("three", 1.4)) == ["one two three"]
    assert shown(words("one two", 0.0), words("three", 1.6)) == ["one two", "three"]
    full = shown(words("many words in a row and then some more of them that nobody can read at once", 0.0, 0.1))
    assert len(full) == 1  # 75 characters in two lines
    assert shown(words("a" * 40 + " " + "b" * 40 + " ccc", 0.0, 0.1)) == ["a" * 40 + " " + "b" * 40, "ccc"]
    slow = shown(words("a b c d e f g h", 0.0, 1.0))
    assert slow == ["a b c d e f g", "h"] and CUE_SECONDS == 7.0
    assert shown(words("x" * 100, 0.0)) == ["x" * 100]
