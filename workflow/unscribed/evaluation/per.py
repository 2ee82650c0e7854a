"""Phone error rate: edit distance of phones over the length of the reference.

References lose `<SIL>` and keep their repeats. In hypotheses equal neighbours are merged, because a phone may cover
several segments, and then `<SIL>` is removed: `a <SIL> a` stays two phones, as in wav2vec-U. An HMM or a
pronunciation does not repeat a phone by segment, so there only `<SIL>` is removed (`spoken_phones`).
Errors and lengths are summed over utterances before dividing, as usual in the field: long utterances weigh more.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import kaldialign
import numpy as np

from unscribed.text.silence import SILENCE, strip_silence

GAP = ""  # stands for the missing phone of a pair: an insertion's reference or a deletion's hypothesis

log = logging.getLogger(__name__)

Phones = Sequence[str]
Alignment = list[tuple[str, str]]
Kept = Callable[[Phones], list[int]]  # returns the positions of the phones of a hypothesis that count


@dataclass(frozen=True)
class Errors:
    """Edit operations and length of the references, in symbols, over any number of utterances."""

    substitutions: int
    insertions: int
    deletions: int
    reference_length: int

    @property
    def total(self) -> int:
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """The error rate; above 1 if there are many insertions, NaN without references."""
        return self.total / self.reference_length if self.reference_length else float("nan")


def kept_hypothesis(phones: Phones) -> list[int]:
    """Find the positions in `phones` that count: the first of each run of equal phones, unless it is silence."""
    return [
        position
        for position, phone in enumerate(phones)
        if phone != SILENCE and (position == 0 or phones[position - 1] != phone)
    ]


def spoken_phones(phones: Phones) -> list[int]:
    """Find the positions of all phones but silence; equal neighbours count as two phones."""
    return [position for position, phone in enumerate(phones) if phone != SILENCE]


def clean_hypothesis(phones: Phones, kept: Kept = kept_hypothesis) -> list[str]:
    """Keep the phones that `kept` selects; by default merge equal neighbours, then remove `<SIL>`."""
    return [phones[position] for position in kept(phones)]


def clean_reference(phones: Phones) -> list[str]:
    """Remove `<SIL>`; equal neighbours stay two phones."""
    return strip_silence(phones)


def align(reference: Phones, hypothesis: Phones) -> Alignment:
    """Align two cleaned sequences at the lowest cost: pairs (reference phone, hypothesis phone), GAP for none."""
    return kaldialign.align(list(reference), list(hypothesis), GAP)


def count_errors(alignment: Alignment) -> Errors:
    """Count the errors of an alignment."""
    return Errors(
        substitutions=sum(GAP not in (left, right) and left != right for left, right in alignment),
        insertions=sum(left == GAP for left, _ in alignment),
        deletions=sum(right == GAP for _, right in alignment),
        reference_length=sum(left != GAP for left, _ in alignment),
    )


def confusion_counts(alignments: Collection[Alignment]) -> Counter[tuple[str, str]]:
    """Count each aligned pair (reference, hypothesis), correct ones included."""
    return Counter(pair for alignment in alignments for pair in alignment)


def phone_error_rate(
    references: Mapping[str, Phones], hypotheses: Mapping[str, Phones], kept: Kept = kept_hypothesis
) -> float:
    """Compute the error rate over all utterances of `references`; both arguments still have `<SIL>` and repeats.

    `kept` gives the positions of a hypothesis that count. An utterance without a hypothesis counts as one with no
    phones, so that leaving out hard utterances does not lower the rate. NaN without reference phones.
    """
    errors = length = 0
    for utterance, reference in references.items():
        cleaned = clean_reference(reference)
        errors += kaldialign.edit_distance(cleaned, clean_hypothesis(hypotheses.get(utterance, []), kept))["total"]
        length += len(cleaned)
    return errors / length if length else float("nan")


def random_mapping_rate(
    references: Mapping[str, Phones], hypotheses: Mapping[str, Phones], inventory: Phones, shuffles: int = 5
) -> float:
    """Compute the chance level: mean error rate after permuting the phones of the hypotheses at random.

    Each shuffle (seeds 0, 1, …) is one permutation of the inventory without `<SIL>`, applied to every utterance.
    """
    symbols = clean_reference(inventory)
    rates = []
    for seed in range(shuffles):
        shuffled = np.random.default_rng(seed).permutation(len(symbols))
        mapping = {symbol: symbols[other] for symbol, other in zip(symbols, shuffled, strict=True)}
        exchanged = {name: [mapping.get(phone, phone) for phone in phones] for name, phones in hypotheses.items()}
        rates.append(phone_error_rate(references, exchanged))
    return float(np.mean(rates))


def unrelated_rate(references: Mapping[str, Phones], hypotheses: Mapping[str, Phones]) -> float:
    """Compute what a sentence of the right length is worth: the rate with each hypothesis given to another utterance.

    It is the one next in the order of their lengths, and the last one's is the first one's.
    """
    ordered = sorted(hypotheses, key=lambda name: (len(hypotheses[name]), name))
    others = {name: hypotheses[other] for name, other in zip(ordered, [*ordered[1:], *ordered[:1]], strict=True)}
    return phone_error_rate(references, others)


def constant_rate(references: Mapping[str, Phones]) -> float:
    """Compute what saying the same each time is worth: the lowest rate of one phone, so many times, for all utterances.

    From the lengths L and the counts c of the phone in the references, the edits of n times the phone are
    max(L, n) - min(c, n).
    """
    spoken = [clean_reference(phones) for phones in references.values()]
    lengths = np.array([len(phones) for phones in spoken])
    fewest = int(lengths.sum())  # saying nothing
    for phone in {phone for phones in spoken for phone in phones}:
        counts = np.array([phones.count(phone) for phones in spoken])
        for times in range(1, int(counts.max()) + 1):
            fewest = min(fewest, int((np.maximum(lengths, times) - np.minimum(counts, times)).sum()))
    return fewest / int(lengths.sum()) if lengths.sum() else float("nan")


def unknown_phones(references: Mapping[str, Phones], inventory: Phones) -> Counter[str]:
    """Count the reference phones that the text never uses, and warn of them: no hypothesis can have them.

    They stay in the references and count as errors.
    """
    known = {*inventory, SILENCE}
    unknown = Counter(phone for phones in references.values() for phone in phones if phone not in known)
    if unknown:
        log.warning(
            "%d reference phones (%s) are not in the text's inventory and always count as errors",
            unknown.total(),
            ", ".join(f"{phone}: {count}" for phone, count in unknown.most_common()),
        )
    return unknown
