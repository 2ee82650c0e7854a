"""Stage ctc_transformer: N-best lists rescored with a Transformer language model."""

import itertools
import logging
import time
from collections.abc import Sequence

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.ctc.decode import word_row
from unscribed.ctc.graph import pronunciations, spells
from unscribed.ctc.nbest_lists import NbestLists, RescoreWeights
from unscribed.ctc.search import PosteriorScorer, aligned_words, sentence_graph
from unscribed.frames import FrameStore
from unscribed.parallel import log_speed, ordered_map
from unscribed.tables import WordTable
from unscribed.text.lexicon import Lexicon, by_word
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.wfst.beam import search
from unscribed.wfst.nbest import Hypothesis
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed
from unscribed.wfst.weights import read_weights
from unscribed.wfst.word_times import confidences

log = logging.getLogger(__name__)

ALIGN_BEAM, ALIGN_ACTIVE = 1e4, 100_000  # prune nothing: the graph of one sentence is small


def ctc_transformer(
    *,
    nbest: Pathlike,
    log_probs: Pathlike,
    model: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    lm_settings: TransformerLmSettings,
    threads: int,
    words: Pathlike,
) -> None:
    """Write the hypothesis with the highest score of each utterance, its list in the new order, times and confidences.

    Utterances that `nbest` does not have are those without a path. The words' times come from an alignment with the
    posteriors. Scores are in units of the language models.
    """
    started = time.monotonic()
    torch.set_num_threads(threads)
    store, chosen, symbols = FrameStore(log_probs), read_weights(weights, RescoreWeights), read_symbols(word_symbols)
    lexicon = by_word(pronunciations(store.metadata["vocab"], symbols, lexiconp))
    lists = NbestLists.read(nbest, model, lm_settings)
    scores = lists.scores(chosen) / (chosen.ngram + chosen.transformer)
    spans = {lists.utterances[start]: (int(start), int(end)) for start, end in itertools.pairwise(lists.first)}

    def rescored(number: int) -> dict | None:
        if store.utterances[number] not in spans:
            return None
        start, end = spans[store.utterances[number]]
        order = start + np.argsort(-scores[start:end], kind="stable")
        return _row(store, number, [lists.words[place] for place in order], scores[order].tolist(), symbols, lexicon)

    table, failed = WordTable(), []
    for number, row in enumerate(ordered_map(rescored, range(len(store)), threads, "rescore")):
        if row is None:
            table.append_no_path(store.utterances[number], int(store.lengths[number]))
            failed.append(store.utterances[number])
        else:
            table.append(**row)
    table.write(words, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def _row(
    store: FrameStore,
    number: int,
    hypotheses: Sequence[list[str]],
    scores: Sequence[float],
    symbols: dict[str, int],
    lexicon: Lexicon,
) -> dict:
    """A row of a WordTable from an N-best list; the best hypothesis is aligned with the posteriors."""
    utterance, vocab, best = store.utterances[number], store.metadata["vocab"], hypotheses[0]
    graph, posteriors = sentence_graph(best, vocab, lexicon), PosteriorScorer().scores(store, number)
    lattice = search(graph, posteriors, ALIGN_BEAM, ALIGN_ACTIVE, 0.0)
    if lattice is None:
        raise ValueError(f"{utterance}: no alignment of {' '.join(best)}")
    ids = [tuple(symbols[word] for word in words) for words in hypotheses]
    return word_row(
        utterance,
        len(store[number]),
        aligned_words(lattice.alignment(), best, vocab, lexicon),
        confidences(ids[0], [Hypothesis(*pair) for pair in zip(ids, scores, strict=True)]),
        nbest=hypotheses,
        scores=scores,
        keep_tokens=not spells(vocab),
    )
