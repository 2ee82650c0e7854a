"""The pronunciation lexicon in Kaldi's format: `word phone phone …`, one pronunciation per line."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.tables import LexiconTable, SentenceTable
from unscribed.text.inventory import read_inventory
from unscribed.text.lines import read_lines
from unscribed.text.variants import LexiconSettings, Phones, count_variants, probabilities

log = logging.getLogger(__name__)

Pronunciation = tuple[str, float, tuple[str, ...]]  # word, probability relative to the word's commonest one, phones
Lexicon = dict[str, list[tuple[str, ...]]]  # word to its pronunciations


def lexicon(
    *,
    lexicon_table: str | Path,
    sentences: str | Path,
    phones: str | Path,
    text_report: str | Path,
    settings: LexiconSettings,
    lexicon: str | Path,
    lexiconp: str | Path,
) -> None:
    """Write the words of `lexicon_table` with their pronunciations, those whose phones are all in `phones`.

    These are the pronunciation of the isolated word and the frequent ones in `sentences` (`probabilities`). A word
    without any is left out; so every word of `sentences` is there.
    `lexiconp` also has the probability of each, after the word.
    Both are sorted by code point, as by `LC_ALL=C sort`. Raises UserError if no word is left.
    """
    inventory = set(read_inventory(phones))
    table = LexiconTable.read(lexicon_table)
    spoken = SentenceTable.read(sentences)
    counts = count_variants(spoken["words"], spoken["phones"])
    isolated = {}
    for word, alone in zip(table["word"], table["phones"], strict=True):
        # On its own a word may have a rare phone that it lacks among others: Italian "e" is long as a letter's name.
        heard = [found for found, _ in counts.get(word, Counter()).most_common()]
        fitting = [found for found in (tuple(alone), *heard) if found and inventory.issuperset(found)]
        if fitting:
            isolated[word] = fitting[0]
    if not isolated:
        raise UserError(
            f"no word of {lexicon_table} is made of the phones in {phones}: the two come from different texts. "
            "Delete both and run the stage phonemize again."
        )
    entries = sorted(
        (word, found, probability)
        for word, alone in isolated.items()
        for found, probability in probabilities(counts.get(word, {}), alone, inventory, settings).items()
    )
    write_lines(lexicon, [" ".join([word, *found]) for word, found, _ in entries])
    write_lines(lexiconp, sorted(" ".join([word, f"{value:.6g}", *found]) for word, found, value in entries))
    variants = len(entries) - len(isolated)
    log.info("%d words in the lexicon, %d more pronunciations of them", len(isolated), variants)
    unreadable, rare = read_json(text_report)["words_without_phones"], len(table) - len(isolated)
    log.info(
        "%d words of the text left out: %d without phones, %d for a rare phone", unreadable + rare, unreadable, rare
    )


def read_lexiconp(path: str | Path) -> list[tuple[str, float, Phones]]:
    """Read word, probability and phones of each line of a lexicon with probabilities.

    Raises UserError, naming the line, if a line cannot be read, has no phones, or a probability that is not above 0 and
    at most 1, and if there is no line.
    """
    entries = []
    for number, line in read_lines(path):
        try:
            word, value, *phones = line.split()
            probability = float(value)
        except ValueError:
            raise _damaged(path, number, f"expected `word probability phone …`, found {line[:60]!r}") from None
        if not phones:
            raise _damaged(path, number, f"the word {word!r} has no pronunciation")
        if not 0 < probability <= 1:
            raise _damaged(path, number, f"the probability {value} of {word!r} is not above 0 and at most 1")
        entries.append((word, probability, tuple(phones)))
    if not entries:
        raise _damaged(path, 0, "the file is empty")
    return entries


def _damaged(path: str | Path, number: int, what: str) -> UserError:
    return UserError(
        f"{path}, line {number}: {what}. Correct the line, or delete the file and run the stage lexicon again."
    )


def by_word(entries: Iterable[Pronunciation]) -> Lexicon:
    """Group the pronunciations by word, in the order of `entries`."""
    found: Lexicon = defaultdict(list)
    for word, _, phones in entries:
        found[word].append(phones)
    return found
