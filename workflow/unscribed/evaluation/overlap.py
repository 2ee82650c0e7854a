"""How much of what is spoken stands in the unpaired text: transcripts that the language model may know by heart."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

NEAR = 0.6  # of the pairs of neighbouring words of a transcript that one sentence of the text has: a near copy

Words = Sequence[str]


def overlap(references: Mapping[str, Words], sentences: Iterable[Words]) -> tuple[float, float]:
    """Return the shares of transcripts that are a sentence of the text, and that are nearly one or part of one.

    The second includes the first. Without transcripts both are NaN.
    """
    spoken = [tuple(words) for words in references.values()]
    if not spoken:
        return float("nan"), float("nan")
    owners: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, words in enumerate(spoken):
        for pair in set(pairwise(words)):
            owners[pair].append(number)
    exact, near, wanted = set(), set(), set(spoken)
    for sentence in map(tuple, sentences):
        if sentence in wanted:
            exact.add(sentence)
        shared = Counter(number for pair in set(pairwise(sentence)) for number in owners.get(pair, ()))
        near |= {number for number, count in shared.items() if count >= NEAR * len(set(pairwise(spoken[number])))}
    copies = [words in exact for words in spoken]
    close = [same or number in near for number, same in enumerate(copies)]
    return sum(copies) / len(spoken), sum(close) / len(spoken)
