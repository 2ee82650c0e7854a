"""Stage word_lm: the n-gram language model of the words, for word decoding."""

import logging
from dataclasses import dataclass
from pathlib import Path

from unscribed.errors import UserError
from unscribed.tables import SentenceTable
from unscribed.text.inventory import read_inventory
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.ngram import ngram_model, symbol_table, write_symbols
from unscribed.text.silence import strip_silence

log = logging.getLogger(__name__)

SPELLING_ORDER = 3  # of the phones of unknown words: words are short, and rare ones are spelled like others


@dataclass(frozen=True)
class WordLmSettings:
    """Section `word_lm` of the configuration."""

    order: int
    prune: list[int]


def word_lm(
    *,
    sentences: str | Path,
    lexicon: str | Path,
    settings: WordLmSettings,
    seed: int,
    arpa: str | Path,
    fst: str | Path,
    words: str | Path,
    report: str | Path,
) -> None:
    """Write the model of the words of `sentences`, without `<SIL>`; see `ngram_model`.

    `words` gets the graph's symbols: `<eps>`, the words of `lexicon` (with probabilities) by code point, and `#0`.
    Raises UserError if there are no words, if the text is too small for the order, or if a word is not in the lexicon.
    """
    lines = [" ".join(kept) for found in SentenceTable.read(sentences)["words"] if (kept := strip_silence(found))]
    if not lines:
        raise UserError(f"{sentences} has no words: run the stages normalize and phonemize on more text.")
    known = sorted({word for word, _, _ in read_lexiconp(lexicon)})
    symbols = symbol_table(known)
    write_symbols(words, symbols)
    ngram_model(
        lines,
        order=settings.order,
        prune=settings.prune,
        seed=seed,
        symbols=symbols,
        key="word_lm.order",
        arpa=arpa,
        fst=fst,
        report=report,
    )
    used = {word for line in lines for word in line.split()}
    log.info("%d words in the lexicon; %d of them in no sentence of the text", len(known), len(set(known) - used))


def spelling_lm(
    *,
    lexicon: str | Path,
    phones: str | Path,
    seed: int,
    arpa: str | Path,
    fst: str | Path,
    report: str | Path,
) -> None:
    """Write n-grams of the phones of the words in `lexicon`, each pronunciation once: how unknown words may sound.

    `phones` is the inventory. Raises UserError if there are too few words.
    """
    lines = [" ".join(spoken) for spoken in sorted({spoken for _, _, spoken in read_lexiconp(lexicon)})]
    ngram_model(
        lines,
        order=SPELLING_ORDER,
        prune=[],
        seed=seed,
        symbols=symbol_table(read_inventory(phones)),
        key="the use of unknown words: no `labels: open` in hmm.steps",
        arpa=arpa,
        fst=fst,
        report=report,
    )
