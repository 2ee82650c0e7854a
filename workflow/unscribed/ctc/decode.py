"""Stage ctc_ngram: words of one split from the posteriors of CTC and n-grams, with times, confidences and N-best lists.

The search maximises log P(tokens | audio) / w + log P(words) - penalty · words: the sum of wav2vec 2.0 (Baevski et al.
2020, §4.3), with its weight w of the language model divided out.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unscribed.artifacts import Pathlike
from unscribed.ctc.graph import pronunciations, spells
from unscribed.ctc.search import AlignedWords, aligned_words, lattices
from unscribed.frames import FrameStore
from unscribed.parallel import log_speed
from unscribed.tables import REAL, TEXT, TEXTS, Table, WordTable
from unscribed.text.arpa import END, START, Arpa
from unscribed.text.lexicon import by_word
from unscribed.wfst.graph import Graph
from unscribed.wfst.nbest import Hypothesis, NbestSettings, n_best
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import SearchSettings, log_failed
from unscribed.wfst.weights import Weights, read_weights
from unscribed.wfst.word_times import confidences

log = logging.getLogger(__name__)


class NbestTable(Table):
    """Every hypothesis of each utterance with the parts of its score, natural logs."""

    SCHEMA: ClassVar = {"utterance": TEXT, "words": TEXTS, "acoustic": REAL, "lm": REAL}


@dataclass(frozen=True)
class Scored:
    """One entry of an N-best list: words, log P(tokens | audio) of the best path, log P(words) by the n-grams."""

    words: list[str]
    acoustic: float
    lm: float


def ctc_ngram(
    *,
    log_probs: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    arpa: Pathlike,
    settings: NbestSettings,
    search: SearchSettings,
    threads: int,
    words: Pathlike,
    nbest: Pathlike,
) -> None:
    """Decode every utterance; one that no path of the graph fits has the status `no_path` and no words.

    `words` has phones for a model of phones only; scores and confidences are in units of the language model. `nbest`
    has every hypothesis with the parts of its score, for ctc_transformer. `arpa` is the language model in `graph`.
    """
    started = time.monotonic()
    store, symbols, language_model = FrameStore(log_probs), read_symbols(word_symbols), Arpa.read(arpa)
    names, chosen = {number: word for word, number in symbols.items()}, read_weights(weights, Weights)
    vocab = store.metadata["vocab"]
    lexicon = by_word(pronunciations(vocab, symbols, lexiconp))
    decoding, everything = Graph.read(graph), range(len(store))
    table, listed, failed = WordTable(), NbestTable(), []
    for number, lattice in enumerate(
        lattices(store, decoding, chosen, search, threads, everything, settings.lattice_beam)
    ):
        utterance, frames = store.utterances[number], len(store[number])
        if lattice is None or not frames:
            table.append_no_path(utterance, frames)
            failed.append(utterance)
            continue
        best = lattice.symbols().tolist()
        hypotheses = n_best(lattice, settings.nbest) or [Hypothesis(tuple(best), -lattice.cost)]
        entries = [scored(hypothesis, names, chosen, language_model) for hypothesis in hypotheses]
        times = aligned_words(lattice.alignment(), [names[word] for word in best], vocab, lexicon)
        table.append(
            **word_row(
                utterance,
                frames,
                times,
                confidences(best, hypotheses),
                nbest=[entry.words for entry in entries],
                scores=[hypothesis.score for hypothesis in hypotheses],
                keep_tokens=not spells(vocab),
            )
        )
        for entry in entries:
            listed.append(utterance=utterance, words=entry.words, acoustic=entry.acoustic, lm=entry.lm)
    table.write(words, store.metadata)
    listed.write(nbest)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def scored(hypothesis: Hypothesis, names: dict[int, str], weights: Weights, arpa: Arpa) -> Scored:
    """Split the score of a hypothesis into its parts; the rest after n-grams and penalty is the acoustic part.

    This part contains the difference where the graph, which allows any back-off, is more probable than `arpa`.
    """
    words = [names[word] for word in hypothesis.words]
    tokens = [START, *words, END]
    lm = sum(arpa.log_prob(tuple(tokens[:place]), tokens[place]) for place in range(1, len(tokens)))
    acoustic = hypothesis.score - lm + weights.insertion_penalty * len(words)
    return Scored(words, acoustic * weights.lm_weight, lm)


def word_row(
    utterance: str,
    frames: int,
    best: AlignedWords,
    word_confidences: Sequence[float],
    nbest: Sequence[Sequence[str]],
    scores: Sequence[float],
    keep_tokens: bool,
) -> dict:
    """A row of a WordTable from a best hypothesis and its N-best list; letters are no phones and are not kept."""
    return {
        "utterance": utterance,
        "words": best.words,
        "word_starts_frames": best.word_starts,
        "word_frames": [end - start for start, end in zip(best.word_starts, best.word_ends, strict=True)],
        "word_confidences": word_confidences,
        "phones": best.tokens if keep_tokens else [],
        "starts_frames": best.token_starts if keep_tokens else [],
        "frames": frames,
        "nbest": [" ".join(hypothesis) for hypothesis in nbest],
        "nbest_scores": scores,
        "status": "ok",
    }
