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
from unscribed.text.lexicon import by_word, read_lexiconp
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
    recognised = WordReader(acoustic.topology, lexiconp, word_symbols, settings.nbest)
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
        table.append(utterance=utterance, frames=frames, status="ok", **recognised(lattice, frames))
    table.write(words, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


class WordReader:
    """What turns lattices over a word graph into words: the names of the words and their pronunciations."""

    def __init__(self, topology: Topology, lexiconp: Pathlike, word_symbols: Pathlike, nbest: int) -> None:
        self.topology, self.nbest = topology, nbest
        self.names = {number: word for word, number in read_symbols(word_symbols).items()}
        self.lexicon = by_word(read_lexiconp(lexiconp))

    def __call__(self, lattice: Lattice, frames: int) -> dict[str, list]:
        """Return words, phones and hypotheses of an utterance: the columns of a WordTable that contain lists."""
        phones, starts = self.topology.phones_of(lattice.alignment())
        best = lattice.symbols().tolist()
        spoken = [self.names[word] for word in best]
        hypotheses = n_best(lattice, self.nbest) or [Hypothesis(tuple(best), -lattice.cost)]
        spans = word_spans(spoken, phones, self.lexicon)
        edges = np.append(starts, frames)
        return {
            "words": spoken,
            "word_starts_frames": [int(edges[first]) for first, _ in spans],
            "word_frames": [int(edges[last] - edges[first]) for first, last in spans],
            "word_confidences": confidences(best, hypotheses),
            "phones": phones,
            "starts_frames": starts,
            "nbest": [" ".join(self.names[word] for word in hypothesis.words) for hypothesis in hypotheses],
            "nbest_scores": [hypothesis.score for hypothesis in hypotheses],
        }
