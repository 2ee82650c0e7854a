"""Stage normalize: unpaired text to clean sentences, one per line, lower case, words separated by one space.

Works for scripts without case and for those with combining marks. The only rule for single languages is the dotless i
of Turkish and Azerbaijani.
"""

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unscribed.artifacts import atomic_path, write_json
from unscribed.errors import UserError
from unscribed.text.lines import read_lines
from unscribed.text.numbers import speller
from unscribed.text.script import script_of

MAX_EXAMPLES = 5  # dropped lines in the report, for each reason
APOSTROPHES = "'\u2019\u02bc\uff07"  # the ways of typing one: all become the first
INSIDE = "'\u00b7"  # kept between letters: the apostrophe and the middle dot of Catalan
JOINERS = "\u200c\u200d"  # invisible, but they change how Persian and Indic letters are read
JAPANESE = {"HIRAGANA", "KATAKANA", "CJK"}  # scripts that one text mixes, and that therefore count as one

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NormalizeSettings:
    """Section `normalize` of the configuration."""

    min_words: int
    max_words: int
    on_digits: str
    on_foreign_script: str


class _Letters(dict[int, str]):
    """Table for `str.translate`: letters and marks are kept, invisible characters removed, others become spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in APOSTROPHES:
            kept = "'"
        elif 0xFE00 <= code <= 0xFE0F:  # variation selectors: marks by category, but of emoji
            kept = ""
        elif category[0] == "L" or category in ("Mn", "Mc") or character in INSIDE + JOINERS:
            kept = character
        else:
            kept = "" if category == "Cf" and character != "\u200b" else " "  # zero-width space separates words
        self[code] = kept
        return kept


@dataclass
class _Dropped:
    """Counts and first examples of dropped lines, by reason."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, reason: str, line: int, text: str) -> None:
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < MAX_EXAMPLES:
            examples.append({"line": line, "text": text[:200]})

    def as_json(self) -> dict[str, dict[str, Any]]:
        return {reason: {"count": count, "examples": self.examples[reason]} for reason, count in self.counts.items()}

    def __str__(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in sorted(self.counts.items())) or "none"


def normalize(
    *, text: str | Path, settings: NormalizeSettings, language: str, normalized: str | Path, report: str | Path
) -> None:
    """Write the clean sentences of `text` and a report of the dropped lines by reason.

    Lines are composed (NFC) and lower-cased; punctuation and hyphens become spaces, apostrophes stay inside words.
    Lines with letters of another script than the text's commonest, or with digits that cannot be spelled out, are
    dropped, or stop the stage, as `settings` say. Memory does not grow with the text.
    Raises UserError if the text is not UTF-8 (naming line and byte), for a line that stops the stage, and if no line is
    left.
    """
    characters = _count_characters(text)
    scripts = _scripts(characters)
    if not scripts:
        raise UserError(f"{text} has no letters. Give unpaired text, UTF-8, one sentence per line.")
    foreign = {character for character in characters if script_of(character) not in scripts | {""}}
    digits = {character for character in characters if unicodedata.category(character)[0] == "N"}
    policy = {"digits": settings.on_digits, "foreign_script": settings.on_foreign_script}
    stops = {reason for reason, action in policy.items() if action == "stop"}
    dropped = _Dropped()
    lines = kept = 0
    clean = cleaner(language)
    spell = speller(language) if settings.on_digits == "spell" else None
    with atomic_path(normalized) as temporary, open(temporary, "w", encoding="utf-8") as output:
        for number, line in _composed(text):
            lines += 1
            if spell and not digits.isdisjoint(line):
                line = _in_script(spell(line), line, scripts)
            words = clean(line)
            reason = _problem(line, words, digits, foreign, settings)
            if reason is None:
                output.write(" ".join(words) + "\n")
                kept += 1
            elif reason in stops:
                raise _stopped(text, number, line, reason, scripts)
            else:
                dropped.add(reason, number, line)
        if not kept:
            raise UserError(
                f"no line of {text} is left ({lines} lines; dropped: {dropped}). Spell out the digits, check "
                "normalize.min_words and normalize.max_words, and give one sentence per line."
            )
    write_json(report, {"lines": lines, "kept": kept, "scripts": sorted(scripts), "dropped": dropped.as_json()})
    log.info("%d of %d lines kept (dropped: %s), script %s", kept, lines, dropped, ", ".join(sorted(scripts)))


def _composed(text: str | Path) -> Iterator[tuple[int, str]]:
    """Yield the lines in NFC, which has one code for each letter however it was typed, with their numbers."""
    for number, line in read_lines(text):
        yield number, unicodedata.normalize("NFC", line)


def _count_characters(text: str | Path) -> Counter[str]:
    """Count the characters; reading the whole text here also checks its encoding before any output."""
    characters: Counter[str] = Counter()
    for _, line in _composed(text):
        characters.update(line)
    return characters


def _scripts(characters: Counter[str]) -> set[str]:
    """The script of most letters, as a set; all those of Japanese that occur if it is one of them."""
    letters: Counter[str] = Counter()
    for character, count in characters.items():
        letters[script_of(character)] += count
    del letters[""]
    if not letters:
        return set()
    first = letters.most_common(1)[0][0]
    return JAPANESE & letters.keys() if first in JAPANESE else {first}


def words_of(lines: Mapping[str, str], language: str) -> dict[str, list[str]]:
    """Split lines, which must be in NFC, into words, cleaned as the text is."""
    clean = cleaner(language)
    return {name: clean(line) for name, line in lines.items()}


def cleaner(language: str) -> Callable[[str], list[str]]:
    """Return the function that splits a line in NFC into clean words."""
    table = _Letters()
    turkic = language.split("-")[0] in ("az", "tr")

    def clean(line: str) -> list[str]:
        if turkic:
            line = line.replace("I", "ı").replace("İ", "i")
        words = line.lower().translate(table).replace("''", " ").split()
        return [word for word in (word.strip(INSIDE) for word in words) if word.strip(JOINERS)]

    return clean


def _problem(
    line: str, words: list[str], digits: set[str], foreign: set[str], settings: NormalizeSettings
) -> str | None:
    """The reason why a line cannot be used, or None."""
    if not line.strip():
        return "empty"
    if not digits.isdisjoint(line):
        return "digits"
    if not foreign.isdisjoint(line):
        return "foreign_script"
    if not words:
        return "no_letters"
    if len(words) < settings.min_words:
        return "too_few_words"
    return "too_many_words" if len(words) > settings.max_words else None


def _in_script(spelled: str, line: str, scripts: set[str]) -> str:
    """The line with its numbers spelled, if they are in the script of the text: Serbian has two."""
    fits = all(script_of(character) in scripts | {""} for character in spelled)
    return unicodedata.normalize("NFC", spelled) if fits else line


def _stopped(text: str | Path, number: int, line: str, reason: str, scripts: set[str]) -> UserError:
    if reason == "digits":
        return UserError(
            f"{text}, line {number} has digits: {line[:80]!r}. Spell numbers out, or set normalize.on_digits: drop."
        )
    strange = next(character for character in line if script_of(character) not in scripts | {""})
    return UserError(
        f"{text}, line {number} has letters of another script ({strange!r}, {script_of(strange)}) than the text "
        f"({', '.join(sorted(scripts))}): {line[:80]!r}. Remove them, or set normalize.on_foreign_script: drop."
    )
