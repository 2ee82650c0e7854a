"""Transcripts as lists of normalised words."""

import unicodedata

APOSTROPHES = "'’`ʼ"


class _Letters(dict[int, str]):
    """A table for str.translate, filled when used: keeps letters, marks and digits; the rest becomes a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in APOSTROPHES:
            kept = "'"
        elif unicodedata.category(character)[0] in "LMN":
            kept = character
        else:
            kept = " "
        self[code] = kept
        return kept


_LETTERS = _Letters()


def spoken_words(transcript: str) -> list[str]:
    """Return the words of a transcript in lower case, without punctuation but with inner apostrophes."""
    text = unicodedata.normalize("NFC", transcript).lower().translate(_LETTERS)
    return [word for piece in text.split() if (word := piece.strip("'"))]
