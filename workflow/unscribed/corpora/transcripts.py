"""From transcripts to references: words in one spelling, and their phones by eSpeak NG.

Used where a corpus knows words but no phones. Only the rules that write references call this.
"""

import logging
import unicodedata
from collections.abc import Iterable, Iterator

from unscribed.corpora.layout import Reference

APOSTROPHES = "'’`ʼ"

log = logging.getLogger(__name__)


class _Letters(dict[int, str]):
    """A table for str.translate that fills itself: keeps letters, marks and digits, the rest becomes a space."""

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


def word_references(transcripts: Iterable[tuple[str, str]], language: str) -> Iterator[Reference]:
    """Yield references without times for (utterance, transcript) pairs; the phones are those of the single words.

    A word without phones (no letters, a foreign script) stays among the words and is counted in a warning.
    Raises UserError if eSpeak NG does not know the language.
    """
    from unscribed.text.phonemize import phonemize_words  # loads eSpeak NG, which reading the audio does not need

    words_of = {utterance: spoken_words(transcript) for utterance, transcript in transcripts}
    pronounced = phonemize_words(sorted({word for words in words_of.values() for word in words}), language)
    if silent := sorted(word for word, phones in pronounced.items() if not phones):
        log.warning("%d words of the transcripts have no phones, for example %s", len(silent), ", ".join(silent[:5]))
    for utterance, words in words_of.items():
        phones = [phone for word in words for phone in pronounced[word]]
        yield Reference(utterance, " ".join(words), phones)
