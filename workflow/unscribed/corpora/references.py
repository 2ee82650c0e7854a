"""Stage references: the references of a corpus of recorded audio, as they come or made from its transcripts.

The phones of transcripts are made as those of the text are. Separate from `build`, so that an edit of the phonemizer
does not rebuild the recordings.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from unscribed.artifacts import Pathlike
from unscribed.corpora.build import call_reader
from unscribed.corpora.layout import SPLITS, Reference, References, Transcripts, write_split_references
from unscribed.corpora.transcripts import spoken_words
from unscribed.text.pronouncers import PronounceSettings, pronounce

log = logging.getLogger(__name__)


def write_references(
    *,
    reader: str,
    settings: Mapping[str, Any],
    language: str,
    phonemize: PronounceSettings,
    recordings: Pathlike,
    references_train: Pathlike,
    references_valid: Pathlike,
    references_test: Pathlike,
    phone_map: Pathlike | None = None,
) -> None:
    """Write the references of the `recordings` of a corpus, from the References or Transcripts that `reader` returns.

    Raises UserError as the readers and `write_split_references` do, and for a language that the phonemizer does not
    have.
    """
    found: References | Transcripts = call_reader(reader, settings, {"phone_map": phone_map})
    if isinstance(found, Transcripts):
        found = References(found.source, word_references(found.rows, language, phonemize))
    outputs = dict(zip(SPLITS, (references_train, references_valid, references_test), strict=True))
    write_split_references(recordings, found, outputs)


def word_references(
    transcripts: Iterable[tuple[str, str]], language: str, settings: PronounceSettings
) -> Iterator[Reference]:
    """Yield references without times for (utterance, transcript) pairs; the phones are those of the single words.

    A word without phones (no letters, a foreign script) stays among the words and is counted in a warning.
    Raises UserError if the phonemizer does not have the language.
    """
    words_of = {utterance: spoken_words(transcript) for utterance, transcript in transcripts}
    pronounced = pronounce(sorted({word for words in words_of.values() for word in words}), language, settings)
    if silent := sorted(word for word, phones in pronounced.items() if not phones):
        log.warning("%d words of the transcripts have no phones, for example %s", len(silent), ", ".join(silent[:5]))
    for utterance, words in words_of.items():
        phones = [phone for word in words for phone in pronounced[word]]
        yield Reference(utterance, " ".join(words), phones)
