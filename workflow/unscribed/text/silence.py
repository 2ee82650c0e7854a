"""Stage silence: insert silence into the phone text where speakers may pause (wav2vec-U, section 4.3)."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unscribed.artifacts import atomic_path
from unscribed.tables import SentenceTable

SILENCE = "<SIL>"  # a phone of text, models and alignments; not a word of the lexicon

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SilenceSettings:
    """Section `silence` of the configuration."""

    probability: float
    surround: bool


def silence(*, sentences: str | Path, settings: SilenceSettings, seed: int, phones_text: str | Path) -> None:
    """Write one line of phones per sentence, with `<SIL>` in each gap between words with `settings.probability`.

    With `settings.surround`, also at both ends. The same seed gives the same text.
    """
    generator = np.random.default_rng(seed)
    phones = silences = lines = 0
    with atomic_path(phones_text) as temporary, open(temporary, "w", encoding="utf-8") as output:
        for words in SentenceTable.read(sentences)["phones"]:
            line = insert_silence(words, settings, generator)
            output.write(" ".join(line) + "\n")
            lines += 1
            phones += len(line)
            silences += line.count(SILENCE)
    log.info("%d sentences, %d tokens, of which %d are %s", lines, phones, silences, SILENCE)


def insert_silence(
    words: Sequence[Sequence[str]], settings: SilenceSettings, generator: np.random.Generator
) -> list[str]:
    """Join the phones of the words, with `<SIL>` drawn for each gap between them; there are never two in a row."""
    pauses = generator.random(len(words) - 1) < settings.probability
    line = [SILENCE] if settings.surround else []
    for word, pause in zip(words, [*pauses, settings.surround], strict=True):
        for phone in [*word, SILENCE] if pause else word:
            if phone != SILENCE or line[-1:] != [SILENCE]:
                line.append(phone)
    return line


def strip_silence(tokens: Iterable[str]) -> list[str]:
    """Return the tokens without `<SIL>`.

    It is removed everywhere before phones are scored and before the perplexity of hypotheses is measured.
    """
    return [token for token in tokens if token != SILENCE]


def as_sentence(tokens: Iterable[str], settings: SilenceSettings) -> list[str]:
    """Return the phones of a hypothesis as a sentence of the phone text: silence at both ends with `settings.surround`.

    Silences inside are removed; a hypothesis without phones becomes an empty sentence.
    """
    phones = strip_silence(tokens)
    edge = [SILENCE] if settings.surround and phones else []
    return [*edge, *phones, *edge]
