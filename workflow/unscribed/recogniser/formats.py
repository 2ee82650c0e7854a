"""Files of a transcript: text, JSON, subtitles, Praat's TextGrid, NIST's CTM and Parquet."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from unscribed.artifacts import atomic_path, write_json
from unscribed.outputs.textgrid import MICROSECONDS, Interval, complete_tier, textgrid_text
from unscribed.recogniser.transcript import Transcript, Word
from unscribed.tables import CtmTable
from unscribed.text.silence import SILENCE

CHANNEL = "1"  # CTM names a channel; all audio is mixed down to one
LINE_CHARACTERS, CUE_LINES, CUE_SECONDS = 42, 2, 7.0  # of a subtitle at most: what television has agreed on
CUE_PAUSE_SECONDS = 0.5  # a longer pause ends a subtitle


def write_text(transcript: Transcript, path: Path) -> None:
    """Write an utterance per line."""
    _write(path, f"{transcript.text}\n" if transcript.text else "")


def write_everything(transcript: Transcript, path: Path) -> None:
    """Write utterances, words and phones with their times in seconds, and the words' confidences, as JSON."""
    utterances = [{**asdict(utterance), "text": utterance.text} for utterance in transcript.utterances]
    write_json(path, {"file": str(transcript.path), "seconds": transcript.seconds, "utterances": utterances})


def write_srt(transcript: Transcript, path: Path) -> None:
    """Write SubRip subtitles."""
    blocks = [
        f"{number}\n{_clock(cue[0].start, ',')} --> {_clock(cue[-1].end, ',')}\n{_lines(cue)}\n"
        for number, cue in enumerate(cues(transcript), start=1)
    ]
    _write(path, "\n".join(blocks))


def write_vtt(transcript: Transcript, path: Path) -> None:
    """Write WebVTT subtitles."""
    blocks = [
        f"{_clock(cue[0].start, '.')} --> {_clock(cue[-1].end, '.')}\n{_lines(cue)}\n" for cue in cues(transcript)
    ]
    _write(path, "\n".join(["WEBVTT\n", *blocks]))


def write_textgrid(transcript: Transcript, path: Path) -> None:
    """Write a TextGrid with tiers of words and phones."""
    end = round(transcript.seconds * MICROSECONDS)
    words = [_interval(word.start, word.end, word.text) for word in transcript.words]
    phones = [
        _interval(phone.start, phone.end, phone.symbol)
        for utterance in transcript.utterances
        for phone in utterance.phones
        if phone.symbol != SILENCE
    ]
    _write(path, textgrid_text({"words": complete_tier(words, end), "phones": complete_tier(phones, end)}, end))


def write_ctm(transcript: Transcript, path: Path) -> None:
    """Write a line per word: file, channel, start, duration, word, confidence."""
    rows = _ctm_rows(transcript)
    _write(path, "".join(f"{name} {channel} {a:.3f} {b:.3f} {word} {c:.3f}\n" for name, channel, a, b, word, c in rows))


def write_parquet(transcript: Transcript, path: Path) -> None:
    """Write the same as a table."""
    CtmTable.from_rows(_ctm_rows(transcript)).write(path, {"file": str(transcript.path)})


# By their names on the command line, which are the suffixes, too: TextGrid has its own.
FORMATS: dict[str, Callable[[Transcript, Path], None]] = {
    "txt": write_text,
    "json": write_everything,
    "srt": write_srt,
    "vtt": write_vtt,
    "textgrid": write_textgrid,
    "ctm": write_ctm,
    "parquet": write_parquet,
}
SUFFIXES = dict(zip(FORMATS, FORMATS, strict=True)) | {"textgrid": "TextGrid"}


def cues(transcript: Transcript) -> Iterator[Sequence[Word]]:
    """Yield the words of each subtitle: an utterance up to a pause, and as much as fits two lines and seven seconds."""
    for utterance in transcript.utterances:
        cue: list[Word] = []
        for word in utterance.words:
            if cue and _ends_before(word, cue):
                yield cue
                cue = []
            cue.append(word)
        if cue:
            yield cue


def _ends_before(word: Word, cue: Sequence[Word]) -> bool:
    """Whether a word starts another subtitle than that of the words `cue`."""
    paused = word.start - cue[-1].end > CUE_PAUSE_SECONDS
    return paused or word.end - cue[0].start > CUE_SECONDS or len(_wrapped([*cue, word])) > CUE_LINES


def _wrapped(words: Sequence[Word]) -> list[str]:
    return textwrap.wrap(" ".join(word.text for word in words), LINE_CHARACTERS, break_long_words=False)


def _lines(words: Sequence[Word]) -> str:
    return "\n".join(_wrapped(words))


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _interval(start: float, end: float, label: str) -> Interval:
    return round(start * MICROSECONDS), round(end * MICROSECONDS), label


def _ctm_rows(transcript: Transcript) -> list[tuple]:
    name = transcript.path.stem.replace(" ", "_")  # columns are separated by spaces
    return [(name, CHANNEL, word.start, word.end - word.start, word.text, word.confidence) for word in transcript.words]


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
