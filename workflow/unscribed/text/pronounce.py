"""Pronounce words and sentences with eSpeak NG, through phonemizer."""

import logging
from collections.abc import Sequence
from functools import cache

import espeakng_loader
from phonemizer.backend import EspeakBackend
from phonemizer.backend.espeak.wrapper import EspeakWrapper
from phonemizer.separator import Separator
from tqdm import tqdm

from unscribed.errors import UserError
from unscribed.languages import unknown_language
from unscribed.text.script import is_readable, scripts_of_language

LINES_PER_CALL = 1000  # the steps of the progress bar; the phones do not depend on it

# phonemizer warns of every switch of the language: a level above CRITICAL drops these messages.
_silent = logging.Logger("espeak", level=logging.CRITICAL + 1)


def phonemize_words(words: list[str], language: str) -> dict[str, list[str]]:
    """Pronounce each word on its own: word to phones, without stress marks.

    A word that eSpeak NG cannot read (no letters, a foreign script) gets an empty list.
    Raises UserError if eSpeak NG does not know `language`.
    """
    _backend(language)  # raises for an unknown language, which has no scripts either
    scripts = scripts_of_language(language)
    pronunciations: dict[str, list[str]] = {word: [] for word in words}
    readable = [word for word in pronunciations if word.strip() and is_readable(word, scripts)]
    for word, spoken in zip(readable, speak(readable, language), strict=True):
        pronunciations[word] = [phone for part in spoken for phone in part]
    return pronunciations


def speak(lines: Sequence[str], language: str) -> list[list[list[str]]]:
    """Return the phones, without stress marks, of each word that eSpeak NG speaks in each line; no line may be empty.

    It may speak one word as several ("x-ray") and several as one ("of the").
    Raises UserError if eSpeak NG does not know `language`.
    """
    backend = _backend(language)
    separator = Separator(phone=" ", word="|", syllable="")
    spoken: list[list[list[str]]] = []
    for start in tqdm(range(0, len(lines), LINES_PER_CALL), desc="phonemize", unit="k lines", disable=None):
        chunk = backend.phonemize(list(lines[start : start + LINES_PER_CALL]), separator=separator, strip=True)
        spoken += [[phones for word in line.split("|") if (phones := word.split())] for line in chunk]
    return spoken


@cache
def _backend(language: str) -> EspeakBackend:
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    if problem := unknown_language(language):
        raise UserError(f"corpus.language: {problem}.")
    return EspeakBackend(language, with_stress=False, language_switch="remove-flags", logger=_silent)
