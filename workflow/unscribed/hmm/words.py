"""Stage words: words of one split with their times, confidences and N-best lists, from lattices.

Dimensions: T frames of an utterance.
"""

import logging
import time

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import Topology
from unscribed.parallel import log_speed
from unscribed.tables import WordTable
from unscribed.text.lexicon import Lexicon, by_word, read_lexiconp
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice
from unscribed.wfst.nbest import Hypothesis, NbestSettings, n_best
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import SearchSettings, decode_store, log_failed
from unscribed.wfst.weights import Weights, read_weights
from unscribed.wfst.word_times import confidences, word_spans

log = logging.getLogger(__name__)


def words(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    settings: NbestSettings,
    search: SearchSettings,
    threads: int,
    words: Pathlike,
) -> None:
    """Decode every utterance over the word graph; one without a path has the status `no_path` and no words."""
    started = time.monotonic()
    store, acoustic = FrameStore(features), HmmModel.read(model)
    names = {number: word for word, number in read_symbols(word_symbols).items()}
    lexicon = by_word(read_lexiconp(lexiconp))
    chosen, everything = read_weights(weights, Weights), range(len(store))
    table, failed = WordTable(), []
    for number, lattice in enumerate(
        decode_store(acoustic, store, Graph.read(graph), chosen, search, threads, everything, settings.lattice_beam)
    ):
        utterance, frames = store.utterances[number], int(store.lengths[number])
        if lattice is None:
            table.append_no_path(utterance, frames)
            failed.append(utterance)
            continue
        columns = _columns(lattice, frames, acoustic.topology, names, lexicon, settings.nbest)
        table.append(utterance=utterance, frames=frames, status="ok", **columns)
    table.write(words, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def _columns(
    lattice: Lattice, frames: int, topology: Topology, names: dict[int, str], lexicon: Lexicon, count: int
) -> dict[str, list]:
    """Words, phones and hypotheses of a lattice: the columns of a WordTable that contain lists."""
    phones, starts = topology.phones_of(lattice.alignment())
    spoken = [names[word] for word in lattice.symbols().tolist()]
    best = [Hypothesis(tuple(lattice.symbols().tolist()), -lattice.cost)]
    hypotheses = n_best(lattice, count) or best
    spans = word_spans(spoken, phones, lexicon)
    edges = np.append(starts, frames)
    return {
        "words": spoken,
        "word_starts_frames": [int(edges[first]) for first, _ in spans],
        "word_frames": [int(edges[last] - edges[first]) for first, last in spans],
        "word_confidences": confidences(lattice.symbols().tolist(), hypotheses),
        "phones": phones,
        "starts_frames": starts,
        "nbest": [" ".join(names[word] for word in hypothesis.words) for hypothesis in hypotheses],
        "nbest_scores": [hypothesis.score for hypothesis in hypotheses],
    }
