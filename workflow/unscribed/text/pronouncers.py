"""Where the phones of words come from: eSpeak NG, epitran, the user's own lexicon, or the letters.

Each way takes words and returns the phones of each, none for a word that it cannot read.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from unscribed.errors import UserError
from unscribed.languages import EPITRAN_SCRIPTS, unknown_epitran
from unscribed.text.lines import read_lines
from unscribed.text.pronounce import phonemize_words
from unscribed.text.script import is_readable

Pronounced = dict[str, list[str]]
TONES = {"\u0300", "\u0301", "\u0302", "\u0304", "\u030c"}  # left out as stress marks are: grave, acute, caron, …
SILENT = {"'", "\u00b7", "\u200c", "\u200d"}  # in words, but no letters: apostrophe, middle dot, joiners


@dataclass(frozen=True)
class PronounceSettings:
    """The keys of section `phonemize` that say how words are pronounced."""

    backend: str
    lexicon: str


ESPEAK = PronounceSettings("espeak", "")  # what corpora are spoken with


def pronounce(words: Iterable[str], language: str, settings: PronounceSettings) -> Pronounced:
    """Return the phones of each word: those of the user's lexicon, or of the backend where it lacks the word.

    Raises UserError for a language that the backend does not have, and for a malformed lexicon.
    """
    wanted = list(words)
    known = read_pronunciations(settings.lexicon) if settings.lexicon else {}
    others = BACKENDS[settings.backend]([word for word in wanted if word not in known], language)
    return {word: known[word] if word in known else others[word] for word in wanted}


def read_pronunciations(path: str | Path) -> Pronounced:
    """Read a lexicon: word, tab, phones with spaces between them; of several pronunciations the first counts.

    Raises UserError, naming the line, where there is no tab or no phone.
    """
    found: Pronounced = {}
    for number, line in read_lines(path):
        if not line.strip():
            continue
        word, tab, phones = unicodedata.normalize("NFC", line).partition("\t")
        if not tab or not word.strip() or not phones.split():
            raise UserError(
                f"phonemize.lexicon: {path}, line {number} is not `word<TAB>phones`, the phones with spaces between "
                f"them: {line[:60]!r}."
            )
        found.setdefault(word.strip().lower(), phones.split())
    return found


def by_letters(words: Iterable[str], language: str) -> Pronounced:
    """Take each letter, with its marks, for a phone: the last resort, and a good one where spelling is regular."""
    return {word: _letters(word) for word in words}


def by_epitran(words: Iterable[str], language: str) -> Pronounced:
    """Pronounce with epitran, whose codes are as `hau-Latn`; tones are left out.

    Raises UserError if it is not installed or does not have the language.
    """
    if problem := unknown_epitran(language):
        raise UserError(f"corpus.language: {problem}.")
    from epitran import Epitran  # loads for seconds

    speaker, script = Epitran(language), EPITRAN_SCRIPTS.get(language.split("-")[1], "")
    readable = (lambda word: is_readable(word, {script})) if script else (lambda word: True)
    return {word: _joined(speaker.trans_list(word)) if readable(word) else [] for word in words}


def _letters(word: str) -> list[str]:
    """Letters with the marks that follow them."""
    found: list[str] = []
    for place, character in enumerate(word):
        if character in SILENT or _is_mark(character):
            continue
        marks = takewhile(_is_mark, word[place + 1 :])
        found.append(character + "".join(marks))
    return found


def _joined(segments: Iterable[str]) -> list[str]:
    """Segments of IPA without tones and what is no sound; marks that stand alone belong to the one before."""
    found: list[str] = []
    for segment in segments:
        kept = "".join(character for character in segment if character not in TONES)
        if not any(unicodedata.category(character)[0] in "LM" for character in kept):
            continue
        if all(map(_is_mark, kept)):
            if found:
                found[-1] += kept
        else:
            found.append(kept)
    return found


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Lm")


# By their values of phonemize.backend. Phones are no words, but transcripts beside such a text are.
BACKENDS: Mapping[str, Callable[[list[str], str], Pronounced]] = {
    "espeak": phonemize_words,
    "phones": phonemize_words,
    "epitran": by_epitran,
    "letters": by_letters,
}
