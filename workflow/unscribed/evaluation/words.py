"""The stage `evaluate_words`: error rates of the decoded words and their phones, and the phones' boundaries."""

import logging
from collections.abc import Sequence

from unscribed.artifacts import Pathlike
from unscribed.audio.times import TimeBase
from unscribed.evaluation.metrics import EvaluateSettings, Metrics, by_split
from unscribed.evaluation.overlap import overlap
from unscribed.evaluation.per import Alignment, count_errors, spoken_phones
from unscribed.evaluation.scoring import (
    decoded_boundaries,
    phone_rate,
    score_boundaries,
    scored_references,
)
from unscribed.evaluation.tables import error_shares, write_metrics, write_utterances, write_word_errors
from unscribed.evaluation.wer import (
    Words,
    align_words,
    oracle_rate,
    out_of_vocabulary_rate,
    read_word_references,
    sentence_error_rate,
)
from unscribed.tables import NO_PATH, SentenceTable, VadTable, WordTable

log = logging.getLogger(__name__)


def evaluate_words(
    *,
    words: Sequence[str],
    manifests: Sequence[str],
    vad: Pathlike,
    lexicon: Pathlike,
    sentences: Pathlike,
    metrics: Pathlike,
    word_errors: Pathlike,
    utterances: Pathlike,
    settings: EvaluateSettings,
    language: str,
    hop_ms: float,
    sample_rate_hz: int,
    references: Sequence[str] = (),
) -> None:
    """Score the word decoding.

    Inputs: tables `words` (word decoding), `manifests` and `references` (if any) of the same splits, each named by
    its file name up to the first dot; `vad` of test; `lexicon`, lines that begin with a word; `sentences` of the text.
    Outputs: `metrics` (flat JSON); `word_errors` and `utterances` (Parquet), both of the split test.
    Raises UserError if `words` are not such tables, or if the references belong to other utterances.
    """
    manifest, transcripts = by_split(manifests), by_split(references)
    decoded = {split: WordTable.read(path) for split, path in by_split(words).items()}
    if "test" not in transcripts:
        log.warning("no references for the split test: only label-free numbers are written")
    values: Metrics = {}
    alignments: dict[str, Alignment] = {}
    for split, table in decoded.items():
        values[f"{split}.words.no_path"] = int((table["status"] == NO_PATH).sum())
        if split not in transcripts:
            continue
        known = read_word_references(transcripts[split], manifest[split], language)
        found = align_words(known, dict(zip(table["utterance"], table["words"], strict=True)))
        nbest = dict(zip(table["utterance"], table["nbest"], strict=True))
        values |= _word_metrics(split, known, found, nbest, lexicon)
        if split == "test":
            alignments = found
            copies = overlap(known, SentenceTable.read(sentences)["words"])
            values |= dict(zip(("test.words.seen", "test.words.nearly_seen"), copies, strict=True))
        with_path = table[table["status"] != NO_PATH]
        if len(with_path) and not with_path["phones"].map(len).any():  # a CTC model of letters outputs no phones
            continue
        phones = scored_references(transcripts[split], manifest[split])
        values[f"{split}.words.per"] = phone_rate(phones, table, spoken_phones)
        if split == "test" and phones.boundaries:
            times = TimeBase(VadTable.by_utterance(vad), hop_ms, sample_rate_hz)
            frames = decoded_boundaries(table, spoken_phones)
            counts = score_boundaries(phones.boundaries, frames, times, settings.tolerance_ms / 1000)
            values["test.words.boundary_f1"] = counts.f1
    write_metrics(metrics, values)
    write_word_errors(word_errors, alignments)
    hypotheses = dict(zip(decoded["test"]["utterance"], decoded["test"]["words"], strict=True))
    write_utterances(utterances, alignments, hypotheses, spoken_phones)


def _word_metrics(
    split: str,
    references: dict[str, list[str]],
    alignments: dict[str, Alignment],
    nbest: dict[str, Words],
    lexicon: Pathlike,
) -> Metrics:
    """Compute the error rates of one split; empty if no reference words are known."""
    if not references:
        return {}
    errors = count_errors([pair for alignment in alignments.values() for pair in alignment])
    return {
        f"{split}.wer": errors.rate,
        **error_shares(f"{split}.wer", alignments),
        f"{split}.ser": sentence_error_rate(alignments),
        f"{split}.wer.oracle_nbest": oracle_rate(references, nbest),
        f"{split}.words.reference_words": errors.reference_length,
        f"{split}.words.oov_rate": out_of_vocabulary_rate(references, lexicon),
    }
