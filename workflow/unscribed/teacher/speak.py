"""Stage speak: the unpaired text spoken by many voices of eSpeak NG, with the times of its phones.

This is labelled speech that nobody had to transcribe: what is spoken comes from the unpaired text, never from a
transcript of the corpus.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile
from tqdm import tqdm

from unscribed.artifacts import Pathlike, atomic_folder
from unscribed.corpora.espeak import PAUSE, Synthesizer
from unscribed.corpora.synthetic import Spoken, TimedPhones, speak_all
from unscribed.corpora.voices import Voice, draw_voice
from unscribed.errors import UserError
from unscribed.languages import unknown_language
from unscribed.tables import REAL, REALS, TEXT, TEXTS, WHOLE, ManifestTable, SentenceTable, Table, VadTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

Request = tuple[Voice, str]  # who says what
FEWEST_WORDS = 50  # of different ones in the text: with fewer, a classifier learns these words and not the phones


@dataclass(frozen=True)
class SpeakSettings:
    """Section `speak` of the configuration; ranges are [lowest, highest]."""

    hours: float
    rates_wpm: list[int]
    pitches: list[int]
    pitch_ranges: list[int]


class SpokenTable(Table):
    """Spoken sentences: who says what, and its phones with their first times in the file; pauses are `<SIL>`."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "sentence": TEXT,
        "voice": TEXT,
        "rate_wpm": WHOLE,
        "pitch": WHOLE,
        "pitch_range": WHOLE,
        "phones": TEXTS,
        "starts_seconds": REALS,
        "end_seconds": REAL,
    }


def speak(
    *,
    sentences: Pathlike,
    settings: SpeakSettings,
    language: str,
    margin_ms: int,
    seed: int,
    sample_rate_hz: int,
    threads: int,
    audio: Pathlike,
    spoken: Pathlike,
    manifest: Pathlike,
    vad: Pathlike,
) -> None:
    """Speak `settings.hours` of the `sentences`, each by a voice drawn by `seed`, into the folder `audio`.

    A text that is too short is spoken again, by other voices. `spoken` tells the phones and their times; `manifest` and
    `vad` are as those of a corpus, with one region per utterance: the phones and `margin_ms` around them.
    Raises UserError if eSpeak NG does not have the language or says nothing, and if the text has too few words.
    """
    if problem := unknown_language(language):
        raise UserError(f"corpus.language: {problem}. The teacher needs a language that eSpeak NG speaks.")
    texts = [" ".join(words) for words in SentenceTable.read(sentences)["words"] if len(words)]
    if len({word for text in texts for word in text.split()}) < FEWEST_WORDS:
        raise UserError(
            f"{sentences} has fewer than {FEWEST_WORDS} different words, too few to learn how phones sound: give more "
            "text."
        )
    table, files, regions = SpokenTable(), ManifestTable(), VadTable()
    started, left = time.monotonic(), settings.hours * 3600
    silent = 0  # sentences one after the other of which nothing was heard
    stream = _requests(texts, settings, language, seed, sample_rate_hz, threads)
    with atomic_folder(audio) as folder, closing(stream), tqdm(total=round(left), unit="s", disable=None) as bar:
        for number, ((voice, sentence), samples, phones) in enumerate(stream):
            said = _pauses_named(phones)
            silent = 0 if said else silent + 1
            if silent == len(texts):
                raise UserError(
                    f"eSpeak NG says nothing for any sentence of {sentences} in the language {language!r}: set "
                    "corpus.language to that of the text, or leave the teacher out (teacher.candidate: false)."
                )
            if not said:
                continue
            name, seconds = f"spoken-{number:06d}", len(samples) / sample_rate_hz
            soundfile.write(folder / f"{name}.wav", samples, sample_rate_hz, subtype="PCM_16")
            _append(table, name, sentence, voice, said)
            path = str(Path(audio) / f"{name}.wav")
            files.append(**_file(name, path, samples, sample_rate_hz))
            regions.append(**_region(name, said, len(samples), margin_ms, sample_rate_hz))
            left -= seconds
            bar.update(seconds)
            if left <= 0:
                break
    table.write(spoken)
    files.write(manifest)
    regions.write(vad)
    elapsed, hours = time.monotonic() - started, sum(files.columns["duration_seconds"]) / 3600
    voices = len(set(table.columns["voice"]))
    log.info("%d voices spoke %.2f h in %.0f s (%.0f x real time)", voices, hours, elapsed, 3600 * hours / elapsed)
    if len(table) > len(texts):
        times = len(table) / len(texts)
        log.warning(
            "speak.hours: %s gives %.2g h, so %d sentences were spoken %.1f times over, each time by other voices; "
            "more text would teach more sequences of phones",
            sentences,
            hours / times,
            len(texts),
            times,
        )


def _requests(
    texts: Sequence[str], settings: SpeakSettings, language: str, seed: int, sample_rate_hz: int, threads: int
) -> Iterator[tuple[Request, np.ndarray, TimedPhones]]:
    """Speak the texts again and again, in a new order and by new voices each time."""
    ranges = (settings.rates_wpm, settings.pitches, settings.pitch_ranges)
    for turn in count():
        generator = np.random.default_rng([seed, turn])
        order = generator.permutation(len(texts))
        requests = [(draw_voice(language, *ranges, generator), texts[place]) for place in order]
        with closing(speak_all(requests, partial(_speak, sample_rate_hz), threads)) as stream:
            yield from stream


def _speak(sample_rate_hz: int, requests: Sequence[Request]) -> list[Spoken]:
    """Speak each sentence by a voice that nothing was spoken by before: it does not depend on the others."""
    spoken = []
    for voice, sentence in requests:
        with Synthesizer(voice.name, voice.rate_wpm, sample_rate_hz, voice.pitch, voice.pitch_range) as synthesizer:
            spoken.append(synthesizer.speak(sentence))
    return spoken


def _pauses_named(phones: TimedPhones) -> TimedPhones:
    """The phones from the first to the last, then the end of the last; pauses between them are `<SIL>`."""
    places = [place for place, (_, phone) in enumerate(phones) if phone != PAUSE]
    if not places or places[-1] + 1 == len(phones):  # nothing said, or no end known
        return []
    kept = phones[places[0] : places[-1] + 2]
    return [(start, phone if phone != PAUSE else SILENCE) for start, phone in kept]


def _append(table: SpokenTable, name: str, sentence: str, voice: Voice, said: TimedPhones) -> None:
    starts, phones = zip(*said, strict=True)
    about = {"voice": voice.name, **{key: value for key, value in asdict(voice).items() if key != "name"}}
    row = {"phones": list(phones[:-1]), "starts_seconds": list(starts[:-1]), "end_seconds": starts[-1]}
    table.append(utterance=name, sentence=sentence, **about, **row)


def _file(name: str, path: str, samples: np.ndarray, sample_rate_hz: int) -> dict[str, object]:
    return {
        "utterance": name,
        "path": path,
        "sample_rate_hz": sample_rate_hz,
        "channels": 1,
        "duration_samples": len(samples),
        "duration_seconds": len(samples) / sample_rate_hz,
        "clipped_fraction": float(np.mean(np.abs(samples.astype(np.int32)) >= np.iinfo(np.int16).max)),
    }


def _region(name: str, said: TimedPhones, total: int, margin_ms: int, sample_rate_hz: int) -> dict[str, object]:
    margin = margin_ms / 1000
    start = max(0, round((said[0][0] - margin) * sample_rate_hz))
    end = min(total, round((said[-1][0] + margin) * sample_rate_hz))
    return {
        "utterance": name,
        "starts_samples": [start],
        "ends_samples": [end],
        "speech_seconds": (end - start) / sample_rate_hz,
        "total_seconds": total / sample_rate_hz,
    }
