"""Corpus kind hibari: speech synthesised by a small neural voice, closer to a human reader than eSpeak NG.

The voice `heart` comes with the package `hibari-tts`. The package downloads other voices when they are first used, so
only those already in its cache can be used here. hibari does not report when phones start: references have the words,
and without times eSpeak NG's phones of the single words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from zlib import crc32

import numpy as np
from hibari import Hibari
from hibari.voices import VOICES, cache_dir, voice_path

from unscribed.artifacts import Pathlike
from unscribed.audio.io import resample
from unscribed.corpora.layout import Corpus, Reference
from unscribed.corpora.references import word_references
from unscribed.corpora.synthetic import SpokenSentence, SpokenSettings, TimedPhones, int16_samples, speak_corpus
from unscribed.errors import UserError
from unscribed.text.pronounce import phonemize_words
from unscribed.text.pronouncers import ESPEAK


@dataclass(frozen=True)
class HibariSettings(SpokenSettings):
    """Section `corpus.hibari` of the configuration."""

    speed: float


def make_corpus(
    *, settings: HibariSettings, language: str, seed: int, sample_rate_hz: int, threads: int, audio: Pathlike
) -> Corpus:
    """Synthesise a corpus; its references are words, and phones without times.

    Raises UserError as `speak_corpus` does, for a voice that is not on this machine and for an unknown language.
    """
    check_voice(settings.voice)
    phonemize_words(["amen"], language)  # an unknown language must fail before hours are spoken
    return speak_corpus(
        settings=settings,
        section="corpus.hibari",
        speak=partial(_speak, settings.voice, settings.speed, sample_rate_hz),
        seed=seed,
        sample_rate_hz=sample_rate_hz,
        threads=threads,
        audio=audio,
        make_references=partial(_references, language),
    )


def _references(language: str, spoken: Iterable[SpokenSentence]) -> Iterator[Reference]:
    return word_references(((one.utterance, one.sentence) for one in spoken), language, ESPEAK)


def check_voice(voice: str) -> None:
    """Raise UserError if hibari has no such voice, or would have to download it."""
    if voice not in VOICES:
        raise UserError(f"corpus.hibari.voice: hibari has no voice {voice!r}. Set it to one of {', '.join(VOICES)}.")
    try:
        voice_path(voice, download_missing=False)
    except FileNotFoundError as error:
        raise UserError(
            f"corpus.hibari.voice: {voice} is not on this machine, and nothing is downloaded here. Set it to heart, "
            f"which comes with the package, or run `hibari --voice {voice} hello` once where there is a network, and "
            f"copy {Path(cache_dir()) / VOICES[voice]['file']} from there."
        ) from error


class Synthesizer:
    """One hibari voice. A sentence always gives the same samples, whatever was spoken before it."""

    def __init__(self, voice: str, speed: float, sample_rate_hz: int) -> None:
        """Load a voice (a name in hibari.voices.VOICES); `speed` 1.0 is its usual pace, 2.0 twice as fast.

        Speech is resampled from hibari's 24 kHz to `sample_rate_hz`. Raises UserError as `check_voice` does.
        """
        check_voice(voice)
        self.sample_rate_hz = sample_rate_hz
        self._speed = speed
        self._voice = Hibari(voice=voice, threads=1)

    def speak(self, text: str) -> tuple[np.ndarray, TimedPhones]:
        """Synthesise a sentence: int16 samples (T,) at `sample_rate_hz`, and an empty list, as no phones are reported.

        The samples keep about 0.3 s of silence at the start and 0.4 s at the end.
        """
        # The seed determines the noise in consonants: it differs between sentences and is the same in every run.
        samples = self._voice(text, speed=self._speed, seed=crc32(text.encode()))
        return int16_samples(32767 * resample(samples, self._voice.sample_rate, self.sample_rate_hz)), []


_loaded = cache(Synthesizer)  # once per process: loading takes as long as speaking twenty sentences


def _speak(voice: str, speed: float, sample_rate_hz: int, batch: Sequence[str]) -> list[tuple[np.ndarray, TimedPhones]]:
    synthesizer = _loaded(voice, speed, sample_rate_hz)
    return [synthesizer.speak(sentence) for sentence in batch]
