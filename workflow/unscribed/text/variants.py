"""Pronunciations of words in connected speech: found in the sentences as eSpeak NG speaks them, and counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

WORD_END, GAP = "|", ""  # symbols of the alignment: the end of a word, and a phone that the other side lacks
MISMATCHED_END = 3  # cost of aligning a word end with a phone: more than a gap on either side, so it never happens

Phones = tuple[str, ...]


@dataclass(frozen=True)
class LexiconSettings:
    """Section `lexicon` of the configuration."""

    min_variant_count: int
    min_variant_share: float


def count_variants(
    sentences: Iterable[Sequence[str]], spoken: Iterable[Sequence[Sequence[str]]]
) -> dict[str, Counter[Phones]]:
    """Count the pronunciations of each word; `sentences` has the words, `spoken` the phones of each word."""
    counts: dict[str, Counter[Phones]] = defaultdict(Counter)
    for words, parts in zip(sentences, spoken, strict=True):
        for word, phones in zip(words, parts, strict=True):
            counts[word][tuple(phones)] += 1
    return dict(counts)


def tell_apart(spoken: Sequence[Sequence[str]], isolated: Sequence[Sequence[str]]) -> list[list[str]] | None:
    """Split the phones of a sentence, `spoken`, into those of each of its words, which are `isolated` on their own.

    eSpeak NG speaks some words as one ("of the") and some as several ("x-ray"). If the numbers of words differ, the
    phones are aligned with those of the isolated words, and a word ends where the isolated word does.
    Returns None if that is ambiguous: if there are additional phones beside a word end that is not spoken, or if a word
    gets no phones.
    """
    if len(spoken) == len(isolated):
        return [list(phones) for phones in spoken]
    words: list[list[str]] = []
    word: list[str] = []
    added = joined = False  # the last phone is not in the isolated word; the last word end is not spoken
    for alone, heard in _align(_with_ends(isolated), _with_ends(spoken)):
        if heard not in (WORD_END, GAP):
            if alone == GAP and joined:
                return None
            word.append(heard)
        if alone == WORD_END:
            joined = heard != WORD_END
            if not word or (joined and added):
                return None
            words.append(word)
            word = []
        elif alone != GAP:
            joined = False
        added = alone == GAP and heard != WORD_END
    return words


def _with_ends(words: Sequence[Sequence[str]]) -> list[str]:
    return [symbol for phones in words for symbol in (*phones, WORD_END)]


def _align(alone: list[str], heard: list[str]) -> list[tuple[str, str]]:
    """Align with the fewest edits, where word ends are paired with word ends or gaps, but not with phones."""
    costs = [list(range(len(heard) + 1))]
    for row, symbol in enumerate(alone, start=1):
        above, line = costs[-1], [row]
        for column, other in enumerate(heard):
            line.append(min(above[column] + _substitution(symbol, other), above[column + 1] + 1, line[column] + 1))
        costs.append(line)
    pairs = []
    row, column = len(alone), len(heard)
    while row or column:
        cost = costs[row][column]
        if row and column and cost == costs[row - 1][column - 1] + _substitution(alone[row - 1], heard[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((alone[row], heard[column]))
        elif row and cost == costs[row - 1][column] + 1:
            row -= 1
            pairs.append((alone[row], GAP))
        else:
            column -= 1
            pairs.append((GAP, heard[column]))
    return pairs[::-1]


def _substitution(symbol: str, other: str) -> int:
    if symbol == other:
        return 0
    return MISMATCHED_END if WORD_END in (symbol, other) else 1


def probabilities(
    counts: Mapping[Phones, int], isolated: Phones, inventory: set[str], settings: LexiconSettings
) -> dict[Phones, float]:
    """Choose the pronunciations of a word; the most frequent has probability 1.0 (Kaldi's convention).

    Kept are those with phones of the inventory that reach the count and the share of the settings, and `isolated`; if
    that does not reach them, it gets the count of the rarest of the others.
    """
    total = sum(counts.values())
    kept = {
        phones: count
        for phones, count in counts.items()
        if count >= settings.min_variant_count
        and count >= settings.min_variant_share * total
        and inventory.issuperset(phones)
    }
    kept.setdefault(isolated, min(kept.values(), default=1))
    largest = max(kept.values())
    return {phones: count / largest for phones, count in kept.items()}
