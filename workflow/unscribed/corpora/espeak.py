"""Corpus kind espeak: speech synthesised by eSpeak NG, which also reports when each phone starts.

The library comes with the package `espeakng-loader`; phonemizer uses the same one, so that the synthesised speech and
the phones of the text share one inventory.
"""

import _ctypes
import ctypes
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import espeakng_loader
import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.audio.io import resample
from unscribed.corpora.layout import Corpus, Reference
from unscribed.corpora.synthetic import SpokenSentence, SpokenSettings, TimedPhones, int16_samples, speak_corpus
from unscribed.corpora.transcripts import spoken_words
from unscribed.errors import UserError
from unscribed.languages import languages
from unscribed.text.silence import SILENCE

PAUSE = ""  # name of a phone event that is a pause
STRESS_MARKS = "ˈˌ"

# Constants of espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
PHONEME_EVENTS, PHONEME_IPA = 1, 2
RATE_PARAMETER, PITCH_PARAMETER, RANGE_PARAMETER = 1, 3, 4
POSITION_CHARACTER = 1
CHARACTERS_UTF8 = 1
EVENT_LIST_TERMINATED, EVENT_PHONEME = 0, 7


@dataclass(frozen=True)
class EspeakSettings(SpokenSettings):
    """Section `corpus.espeak` of the configuration."""

    rate_wpm: int


def make_corpus(*, settings: EspeakSettings, seed: int, sample_rate_hz: int, threads: int, audio: Pathlike) -> Corpus:
    """Synthesise a corpus; its references have times.

    Raises UserError as `speak_corpus` does, and for an unknown voice.
    """
    with Synthesizer(settings.voice, settings.rate_wpm, sample_rate_hz):
        pass  # an unknown voice must fail here, not inside a worker process
    return speak_corpus(
        settings=settings,
        section="corpus.espeak",
        speak=partial(_speak, settings.voice, settings.rate_wpm, sample_rate_hz),
        seed=seed,
        sample_rate_hz=sample_rate_hz,
        threads=threads,
        audio=audio,
        make_references=partial(map, _reference),
    )


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Synthesizer:
    """One eSpeak NG voice; use as a context manager or call `close`.

    Every instance loads its own copy of the library, which takes about 5 ms. eSpeak NG's noise generator cannot be
    reset, so the samples of a sentence depend on the sentences before it. A new copy always starts from the same state:
    the same sentences in the same order give the same samples.
    """

    def __init__(self, voice: str, rate_wpm: int, sample_rate_hz: int, pitch: int = 50, pitch_range: int = 50) -> None:
        """Load the voice (eSpeak NG's name, for example `en-us`) at a rate in words per minute.

        `pitch` and `pitch_range` are on eSpeak NG's scale from 0 to 100. Speech is resampled from its 22,050 Hz to
        `sample_rate_hz`. Raises UserError for an unknown voice.
        """
        self.sample_rate_hz = sample_rate_hz
        self._samples = bytearray()
        self._events: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._receive)  # kept: the library holds only a pointer
        self._library: ctypes.CDLL | None = _private_library()
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, PHONEME_EVENTS | PHONEME_IPA)
        if self._rate <= 0:
            self.close()
            raise UserError(f"eSpeak NG cannot read its data in {data.decode()}: reinstall espeakng-loader.")
        if not any(self._library.espeak_SetVoiceByName(name.encode()) == 0 for name in _voice_names(voice)):
            self.close()
            raise UserError(
                f"corpus.espeak.voice: eSpeak NG has no voice {voice!r}. Set it to a language code such as en-us, "
                "en-gb, de, fr-fr or es; phonemizer's documentation lists all."
            )
        wanted = {RATE_PARAMETER: rate_wpm, PITCH_PARAMETER: pitch, RANGE_PARAMETER: pitch_range}
        for parameter, value in wanted.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._library.espeak_SetSynthCallback(self._callback)

    def __enter__(self) -> "Synthesizer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unload the library; the instance cannot speak any more."""
        if self._library is not None:
            self._library.espeak_Terminate()
            _ctypes.dlclose(self._library._handle)
            self._library = None

    def speak(self, text: str) -> tuple[np.ndarray, TimedPhones]:
        """Synthesise a sentence: int16 samples (T,) at `sample_rate_hz`, and (start in seconds, phone) in order.

        Phones are IPA without stress marks. A pause is a phone named PAUSE; the last entry is the pause at the end,
        whose start is the end of the last phone. The samples keep the silence at the end.
        """
        if self._library is None:
            raise RuntimeError("the synthesiser is closed")
        self._samples.clear()
        self._events.clear()
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.frombuffer(bytes(self._samples), dtype=np.int16)
        phones = [(sample / self._rate, name.strip(STRESS_MARKS)) for sample, name in self._events]
        return _resampled(samples, self._rate, self.sample_rate_hz), _merged_pauses(phones)

    def _receive(self, samples: ctypes._Pointer, count: int, events: ctypes._Pointer) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        index = 0
        while events[index].type != EVENT_LIST_TERMINATED:
            if events[index].type == EVENT_PHONEME:
                # The field has 8 bytes, and no terminator if full; a longer name may be cut inside a character.
                name = bytes(events[index].id.string).decode("utf-8", errors="ignore")
                self._events.append((events[index].sample, name))
            index += 1
        return 0


def _voice_names(voice: str) -> list[str]:
    """The names to try for a voice: `voice` itself and, if it begins with a language code, the file of that language.

    eSpeak NG finds voices by name or file, not by code: that of en-gb has the name "English (Great Britain)" and the
    file gmw/en.
    """
    code, plus, variant = voice.partition("+")
    return [voice] + ([languages()[code].file + plus + variant] if code in languages() else [])


def _private_library() -> ctypes.CDLL:
    source = Path(espeakng_loader.get_library_path())
    with tempfile.TemporaryDirectory(prefix="unscribed-") as folder:
        # The dynamic loader loads a file only once: a copy has variables of its own. Once loaded, it can be deleted.
        return ctypes.CDLL(shutil.copy(source, Path(folder) / source.name))


def _resampled(samples: np.ndarray, rate: int, wanted_rate: int) -> np.ndarray:
    return int16_samples(resample(samples.astype(np.float32), rate, wanted_rate)) if len(samples) else samples


def _merged_pauses(phones: TimedPhones) -> TimedPhones:
    """Merge neighbouring pauses, so that the last phone ends where the first of them starts."""
    return [
        (start, name)
        for index, (start, name) in enumerate(phones)
        if name != PAUSE or index == 0 or phones[index - 1][1] != PAUSE
    ]


def _speak(
    voice: str, rate_wpm: int, sample_rate_hz: int, batch: Sequence[str]
) -> list[tuple[np.ndarray, TimedPhones]]:
    with Synthesizer(voice, rate_wpm, sample_rate_hz) as synthesizer:
        return [synthesizer.speak(sentence) for sentence in batch]


def _reference(spoken: SpokenSentence) -> Reference:
    """The reference of a sentence: pauses at the ends are left out, those inside become SILENCE."""
    name, sentence, phones = spoken
    words = " ".join(spoken_words(sentence))
    places = [index for index, (_, phone) in enumerate(phones) if phone != PAUSE]
    if not places:
        return Reference(name, words)
    inner = phones[places[0] : places[-1] + 1]
    after = phones[places[-1] + 1 :]
    return Reference(
        name,
        words,
        [SILENCE if phone == PAUSE else phone for _, phone in inner],
        [start for start, _ in inner],
        after[0][0] if after else float("nan"),
    )
