"""Stage ctc_words: words of one split from the posteriors of CTC and n-grams, with times, confidences and N-best lists.

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
from unscribed.ctc.search import CtcSettings, Spoken, by_word, lattices, spoken
from unscribed.frames import FrameStore
from unscribed.parallel import log_speed
from unscribed.tables import REAL, TEXT, TEXTS, Table, WordTable
from unscribed.text.arpa import END, START, Arpa
from unscribed.wfst.graph import Graph
from unscribed.wfst.nbest import Hypothesis, n_best
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import Beam, Weights, log_failed, read_weights
from unscribed.wfst.word_times import confidences

log = logging.getLogger(__name__)


class NbestTable(Table):
    """Every hypothesis of each utterance with the parts of its score, natural logs."""

    STAGE = "ctc_words"
    SCHEMA: ClassVar = {"utterance": TEXT, "words": TEXTS, "acoustic": REAL, "lm": REAL}


@dataclass(frozen=True)
class Scored:
    """One entry of an N-best list: words, log P(tokens | audio) of the best path, log P(words) by the n-grams."""

    words: list[str]
    acoustic: float
    lm: float


def ctc_words(
    *,
    log_probs: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    arpa: Pathlike,
    settings: CtcSettings,
    threads: int,
    words: Pathlike,
    nbest: Pathlike,
) -> None:
    """Decode every utterance; one that no path explains has the status `no_path` and no words.

    `words` has the column phones for a model of phones only; scores and confidences are in units of the language
    model. `nbest` has every hypothesis with the parts of its score, for ctc_rescore. `arpa` is the model in `graph`.
    """
    started = time.monotonic()
    store, symbols, language_model = FrameStore(log_probs), read_symbols(word_symbols), Arpa.read(arpa)
    names, chosen = {number: word for word, number in symbols.items()}, read_weights(weights)
    vocab = store.metadata["vocab"]
    lexicon = by_word(pronunciations(vocab, symbols, lexiconp))
    beam = Beam(settings.beam, settings.max_active, settings.lattice_beam)
    table, listed, failed = WordTable(), NbestTable(), []
    for number, lattice in enumerate(
        lattices(store, Graph.read(graph), chosen, beam, threads, range(len(store)))  # in the order of the store
    ):
        utterance, frames = store.utterances[number], len(store[number])
        if lattice is None or not frames:
            table.append_no_path(utterance, frames)
            failed.append(utterance)
            continue
        hypotheses = n_best(lattice, settings.nbest) or [Hypothesis(tuple(lattice.symbols().tolist()), -lattice.cost)]
        found = [scored(hypothesis, names, chosen, language_model) for hypothesis in hypotheses]
        said = [names[word] for word in lattice.symbols().tolist()]
        sure = confidences(lattice.symbols().tolist(), hypotheses)
        times = spoken(lattice.alignment(), said, vocab, lexicon)
        scores = [hypothesis.score for hypothesis in hypotheses]
        listed_words = [one.words for one in found]
        table.append(**row(utterance, frames, said, times, sure, listed_words, scores, keep_tokens=not spells(vocab)))
        for one in found:
            listed.append(utterance=utterance, words=one.words, acoustic=one.acoustic, lm=one.lm)
    table.write(words, store.metadata)
    listed.write(nbest)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def scored(hypothesis: Hypothesis, names: dict[int, str], weights: Weights, arpa: Arpa) -> Scored:
    """Take a hypothesis' score apart; what is not of the n-grams or the penalty is the acoustics' part.

    That includes the little that the graph, in which any back-off is allowed, may find more probable than `arpa`.
    """
    said = [names[word] for word in hypothesis.words]
    tokens = [START, *said, END]
    lm = sum(arpa.log_prob(tuple(tokens[:place]), tokens[place]) for place in range(1, len(tokens)))
    acoustic = hypothesis.score - lm + weights.insertion_penalty * len(said)
    return Scored(said, acoustic * weights.lm_weight, lm)


def row(
    utterance: str,
    frames: int,
    words: Sequence[str],
    times: Spoken,
    sure: Sequence[float],
    nbest: Sequence[Sequence[str]],
    scores: Sequence[float],
    keep_tokens: bool,
) -> dict:
    """A row of a WordTable; letters are no phones, so they are not kept."""
    return {
        "utterance": utterance,
        "words": words,
        "word_starts_frames": times.word_starts,
        "word_frames": [end - start for start, end in zip(times.word_starts, times.word_ends, strict=True)],
        "word_confidences": sure,
        "phones": times.tokens if keep_tokens else [],
        "starts_frames": times.token_starts if keep_tokens else [],
        "frames": frames,
        "nbest": [" ".join(hypothesis) for hypothesis in nbest],
        "nbest_scores": scores,
        "status": "ok",
    }
