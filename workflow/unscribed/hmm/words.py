"""Stage words: words of one split with their times, confidences and N-best lists, from lattices.

Dimensions: T frames of an utterance.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import kaldialign
import numpy as np

from unscribed.artifacts import FrameStore, Pathlike, write_table
from unscribed.audio.parallel import log_speed
from unscribed.decoding.graph import Graph
from unscribed.decoding.lattice import Lattice
from unscribed.decoding.nbest import Hypothesis, n_best
from unscribed.hmm.decode import log_failed, read_weights
from unscribed.hmm.graph import read_symbols
from unscribed.hmm.model import HmmModel
from unscribed.hmm.search import Beam, decode_store
from unscribed.hmm.topology import Topology
from unscribed.hmm.tune import TuneSettings
from unscribed.outputs.words import NO_PATH, WORDS_SCHEMA
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

Lexicon = dict[str, list[tuple[str, ...]]]


@dataclass(frozen=True)
class WordSettings:
    """Section `words` of the configuration."""

    lattice_beam: float
    nbest: int


def words(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    settings: WordSettings,
    search: TuneSettings,
    threads: int,
    words: Pathlike,
) -> None:
    """Decode every utterance over the word graph; one that no path explains has the status `no_path` and no words."""
    started = time.monotonic()
    store, acoustic = FrameStore(features), HmmModel.read(model)
    names = {number: word for word, number in read_symbols(word_symbols).items()}
    lexicon: Lexicon = defaultdict(list)
    for word, _, phones in read_lexiconp(lexiconp):
        lexicon[word].append(phones)
    beam = Beam(search.beam, search.max_active, settings.lattice_beam)
    found = decode_store(acoustic, store, Graph.read(graph), read_weights(weights), beam, threads, range(len(store)))
    rows = []
    for number, lattice in enumerate(found):
        frames = int(store.offsets[number + 1] - store.offsets[number])
        rows.append(_row(store.utterances[number], lattice, frames, acoustic.topology, names, lexicon, settings.nbest))
    columns = {name: [row[name] for row in rows] for name, _ in WORDS_SCHEMA}
    write_table(words, columns, WORDS_SCHEMA, store.metadata)
    log_failed([row["utterance"] for row in rows if row["status"] != "ok"])
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def _row(
    utterance: str,
    lattice: Lattice | None,
    frames: int,
    topology: Topology,
    names: dict[int, str],
    lexicon: Lexicon,
    count: int,
) -> dict:
    empty: dict = {name: [] for name, _ in WORDS_SCHEMA}
    row = {**empty, "utterance": utterance, "frames": frames, "status": NO_PATH}
    if lattice is None:
        return row
    ids, starts = topology.phones_of(lattice.alignment())
    phones = [topology.phones[phone - 1] for phone in ids]
    spoken = [names[word] for word in lattice.symbols().tolist()]
    best = [Hypothesis(tuple(lattice.symbols().tolist()), -lattice.cost)]
    hypotheses = n_best(lattice, count) or best
    spans = word_spans(spoken, phones, lexicon)
    edges = np.append(starts, frames)
    return row | {
        "words": spoken,
        "word_starts_frames": [int(edges[first]) for first, _ in spans],
        "word_frames": [int(edges[last] - edges[first]) for first, last in spans],
        "word_confidences": confidences(lattice.symbols().tolist(), hypotheses),
        "phones": phones,
        "starts_frames": starts,
        "nbest": [" ".join(names[word] for word in hypothesis.words) for hypothesis in hypotheses],
        "nbest_scores": [hypothesis.score for hypothesis in hypotheses],
        "status": "ok",
    }


def word_spans(spoken: Sequence[str], phones: Sequence[str], lexicon: Lexicon) -> list[tuple[int, int]]:
    """First and last + 1 phone of each word, where `phones` are pronunciations of the words with silences between.

    The word labels of a graph lie where determinisation has moved them, so the times come from the phones. Raises
    ValueError if the phones are no pronunciation of the words.
    """
    dead: set[tuple[int, int]] = set()

    def match(word: int, place: int) -> list[tuple[int, int]] | None:
        while place < len(phones) and phones[place] == SILENCE:
            place += 1
        if word == len(spoken):
            return [] if place == len(phones) else None
        if (word, place) in dead:
            return None
        for variant in lexicon[spoken[word]]:
            end = place + len(variant)
            if tuple(phones[place:end]) == variant and (rest := match(word + 1, end)) is not None:
                return [(place, end), *rest]
        dead.add((word, place))
        return None

    spans = match(0, 0)
    if spans is None:
        raise ValueError(f"{' '.join(phones)} is no pronunciation of {' '.join(spoken)}")
    return spans


def confidences(best: Sequence[int], hypotheses: Sequence[Hypothesis]) -> list[float]:
    """Share of the N-best list's probability in which each word of `best` stands at its place, 0 to 1."""
    scores = np.array([hypothesis.score for hypothesis in hypotheses])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    result = np.zeros(len(best))
    for hypothesis, share in zip(hypotheses, shares, strict=True):
        place = 0
        for left, right in kaldialign.align(list(best), list(hypothesis.words), -1):
            if left != -1:
                result[place] += share * (left == right)
                place += 1
    return np.minimum(result, 1.0).tolist()
