"""Stage words: words of one split with their times, confidences and N-best lists, from lattices.

Dimensions: T frames of an utterance.
"""

import logging
import time
from dataclasses import dataclass

import numpy as np

from unscribed.artifacts import Pathlike, read_json
from unscribed.frames import FrameStore
from unscribed.hmm.confidence import calibrated, goodness
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import Topology
from unscribed.parallel import log_speed, numeric_map
from unscribed.tables import WordTable
from unscribed.text.lexicon import by_word, read_lexiconp
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice
from unscribed.wfst.nbest import Hypothesis, NbestSettings, n_best
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import Decoder, SearchSettings, log_failed
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
    store, acoustic, chosen = FrameStore(features), HmmModel.read(model), read_weights(weights, Weights)
    decoder = Decoder(acoustic, Graph.read(graph), chosen, search, settings.lattice_beam)
    reader = WordReader(acoustic.topology, lexiconp, word_symbols, settings.nbest, chosen, read_edits(weights))

    def recognise(number: int) -> dict[str, list] | None:
        scores = acoustic.scores(store, number)
        lattice = decoder.decode(scores)
        return reader(lattice, scores) if lattice else None

    table, failed = WordTable(), []
    for number, row in enumerate(numeric_map(recognise, range(len(store)), threads, "decode")):
        utterance, frames = store.utterances[number], int(store.lengths[number])
        if row is None:
            table.append_no_path(utterance, frames)
            failed.append(utterance)
        else:
            table.append(utterance=utterance, frames=frames, status="ok", **row)
    table.write(words, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def read_edits(weights: Pathlike) -> float:
    """Return the edits per phone between the last two models, by which the weights were chosen."""
    return float(read_json(weights)["score"])


@dataclass(frozen=True)
class Evidence:
    """What tells whether the words of an utterance are right; see unscribed.hmm.confidence."""

    shares: list[float]
    goodness: np.ndarray


class WordReader:
    """What turns lattices over a word graph into words: their names, pronunciations, and how sure a model is of them.

    `weights` are those of the search, `edits` those of `read_edits`.
    """

    def __init__(
        self, topology: Topology, lexiconp: Pathlike, word_symbols: Pathlike, nbest: int, weights: Weights, edits: float
    ) -> None:
        self.topology, self.nbest, self.weights, self.edits = topology, nbest, weights, edits
        self.names = {number: word for word, number in read_symbols(word_symbols).items()}
        self.lexicon = by_word(read_lexiconp(lexiconp))
        self.numbers = {phone: number for number, phone in enumerate(topology.phones)}

    def __call__(self, lattice: Lattice, scores: np.ndarray) -> dict[str, list]:
        """Return words, phones and hypotheses of an utterance: the columns of a WordTable that contain lists.

        `scores` (T, I + 1) are those that it was decoded with.
        """
        found, evidence = self.read(lattice, scores)
        return found | {"word_confidences": calibrated(evidence.shares, evidence.goodness, self.edits)}

    def read(self, lattice: Lattice, scores: np.ndarray) -> tuple[dict[str, list], Evidence]:
        """Return the same without confidences, and the evidence that they are made of."""
        phones, starts = self.topology.phones_of(lattice.alignment())
        best = lattice.symbols().tolist()
        spoken = [self.names[word] for word in best]
        hypotheses = n_best(lattice, self.nbest) or [Hypothesis(tuple(best), -lattice.cost)]
        edges = np.append(starts, len(scores)).astype(np.int64)
        spans = [(int(edges[first]), int(edges[last])) for first, last in word_spans(spoken, phones, self.lexicon)]
        heard = np.repeat([self.numbers[phone] for phone in phones], np.diff(edges))
        by_phone = self.topology.best_of_phones(scores[edges[0] :]) / np.float32(self.weights.lm_weight)
        good = goodness(by_phone, heard, [(first - edges[0], last - edges[0]) for first, last in spans])
        row = {
            "words": spoken,
            "word_starts_frames": [first for first, _ in spans],
            "word_frames": [last - first for first, last in spans],
            "phones": phones,
            "starts_frames": starts,
            "nbest": [" ".join(self.names[word] for word in hypothesis.words) for hypothesis in hypotheses],
            "nbest_scores": [hypothesis.score for hypothesis in hypotheses],
        }
        return row, Evidence(confidences(best, hypotheses), good)
