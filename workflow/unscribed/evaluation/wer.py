"""Word error rate: edit distance of words over the length of the reference, pooled over utterances.

References are cleaned like the unpaired text, so case and punctuation, which no decoder here outputs, do not
count. An alignment is a list of pairs of words, as in `per`.
"""

import logging
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import jiwer

from unscribed.artifacts import Pathlike
from unscribed.evaluation.per import GAP, Alignment, count_errors
from unscribed.evaluation.scoring import known_references
from unscribed.text.lines import read_lines
from unscribed.text.normalize import words_of

log = logging.getLogger(__name__)

Words = Sequence[str]


def read_word_references(path: Pathlike, manifest_path: Pathlike, language: str) -> dict[str, list[str]]:
    """Read the words of the transcripts of the utterances in the manifest, in the spelling of the text.

    Utterances without words are left out with a warning; so are digits, because the text has none. Raises UserError if
    no reference belongs to any utterance.
    """
    table, accepted = known_references(path, manifest_path)
    composed = {row.utterance: unicodedata.normalize("NFC", row.words or "") for row in table.itertuples()}
    references = {utterance: words for utterance, words in words_of(composed, language).items() if words}
    if len(references) < accepted:
        log.warning(
            "%d of %d utterances have no reference words (%s) and are not scored",
            accepted - len(references),
            accepted,
            path,
        )
    if digits := sum(any(sign.isnumeric() for sign in line) for line in composed.values()):
        log.warning("%s: %d transcripts have digits, which are not scored: spell numbers out", path, digits)
    return references


def align_words(references: Mapping[str, Words], hypotheses: Mapping[str, Words]) -> dict[str, Alignment]:
    """Align the words of each utterance of `references`: pairs (reference word, hypothesis word), GAP for none.

    An utterance without a hypothesis counts as one with no words.
    """
    pairs = [(words, hypotheses.get(name, [])) for name, words in references.items()]
    return dict(zip(references, _align(pairs), strict=True))


def oracle_rate(references: Mapping[str, Words], nbest: Mapping[str, Sequence[str]]) -> float:
    """Compute the word error rate that a perfect choice within each utterance's N-best list would reach."""
    pairs, owners = [], []
    for name, words in references.items():
        candidates = nbest.get(name, [])
        for candidate in candidates if len(candidates) else [""]:
            pairs.append((words, candidate.split()))
            owners.append(name)
    best: dict[str, int] = {}
    for name, alignment in zip(owners, _align(pairs), strict=True):
        errors = count_errors(alignment).total
        best[name] = min(errors, best.get(name, errors))
    length = sum(map(len, references.values()))
    return sum(best.values()) / length if length else float("nan")


def sentence_error_rate(alignments: Mapping[str, Alignment]) -> float:
    """Compute the share of utterances with at least one wrong word."""
    wrong = sum(any(left != right for left, right in alignment) for alignment in alignments.values())
    return wrong / len(alignments) if alignments else float("nan")


def out_of_vocabulary_rate(references: Mapping[str, Words], lexicon: Pathlike) -> float:
    """Compute the share of reference words (every occurrence) that the lexicon lacks: no hypothesis can have them."""
    known = {line.split(maxsplit=1)[0] for _, line in read_lines(lexicon) if line.strip()}
    words = [word for found in references.values() for word in found]
    return sum(word not in known for word in words) / len(words) if words else float("nan")


def _align(pairs: Sequence[tuple[Words, Words]]) -> list[Alignment]:
    """Align each pair (reference words, hypothesis words)."""
    if not pairs:
        return []
    found = jiwer.process_words([" ".join(words) for words, _ in pairs], [" ".join(words) for _, words in pairs])
    alignments = []
    for reference, hypothesis, chunks in zip(found.references, found.hypotheses, found.alignments, strict=True):
        alignment: Alignment = []
        for chunk in chunks:
            left = reference[chunk.ref_start_idx : chunk.ref_end_idx]
            right = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
            alignment += zip_longest(left, right, fillvalue=GAP)
        alignments.append(alignment)
    return alignments
