"""Beam search with the posteriors of CTC: settings, scores, and the words of a lattice with their times.

Dimensions: T frames of an utterance, V tokens of the vocabulary.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unscribed.ctc.graph import BLANK, spells, with_blanks
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.text.letters import WORD_DELIMITER
from unscribed.text.lexicon import Lexicon, Pronunciation
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice
from unscribed.wfst.search import Beam, Weights, decode_store
from unscribed.wfst.word_times import word_spans


@dataclass(frozen=True)
class CtcSettings:
    """What of section `ctc` of the configuration is about the search and its weights."""

    beam: float
    max_active: int
    lattice_beam: float
    nbest: int
    lm_weights: list[float]
    insertion_penalties: list[float]
    tune_utterances: int


class Posteriors:
    """The posteriors themselves as acoustic model: what the search asks of an HmmModel."""

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Natural log posteriors of an utterance by input label, (T, V + 1); column 0 is none.

        Raises UserError if they are not finite.
        """
        found = np.asarray(store[number], dtype=np.float32)
        if not np.isfinite(found).all():
            raise UserError(
                f"{store.path}: the posteriors of {store.utterances[number]} are not finite, the model is "
                "broken: lower finetune.learning_rate and train it again."
            )
        return np.pad(found, ((0, 0), (1, 0)))


def lattices(
    store: FrameStore, graph: Graph, weights: Weights, beam: Beam, threads: int, numbers: Sequence[int]
) -> Iterator[Lattice | None]:
    """The lattice of each utterance in `numbers`, in order; None where no path explains it.

    Raises UserError if the graph was made for more tokens than the store has.
    """
    if len(store) and graph.inputs.max() > store.data.shape[1]:
        raise UserError(f"{store.path} has fewer tokens than the graph: delete the graph and run ctc_graph again.")
    yield from decode_store(Posteriors(), store, graph, weights, beam, threads, numbers)


@dataclass(frozen=True)
class Spoken:
    """Tokens (with the delimiter) and words of an utterance with their first frames and the first frames after."""

    tokens: list[str]
    token_starts: list[int]
    word_starts: list[int]
    word_ends: list[int]


def spoken(alignment: np.ndarray, words: Sequence[str], vocab: Sequence[str], lexicon: Lexicon) -> Spoken:
    """Times from the input label of each frame, (T,): a word lasts as long as its tokens.

    `lexicon` has the tokens of each word. Raises ValueError if those of the alignment are no pronunciation of `words`.
    """
    edges = np.flatnonzero(np.diff(alignment, prepend=0, append=0))
    runs = [(first, end, vocab[alignment[first] - 1]) for first, end in pairwise(edges) if alignment[first] != BLANK]
    sounds = [run for run in runs if run[2] != WORD_DELIMITER]
    spans = word_spans(words, [token for *_, token in sounds], lexicon)
    return Spoken(
        [token for *_, token in runs],
        [int(first) for first, *_ in runs],
        [int(sounds[first][0]) for first, _ in spans],
        [int(sounds[last - 1][1]) for _, last in spans],
    )


def by_word(entries: Iterable[Pronunciation]) -> Lexicon:
    """The pronunciations of each word."""
    lexicon: Lexicon = defaultdict(list)
    for word, _, tokens in entries:
        lexicon[word].append(tokens)
    return lexicon


def sentence_graph(words: Sequence[str], vocab: Sequence[str], lexicon: Lexicon) -> Graph:
    """All ways to say one sentence; with it, the search aligns instead of recognising."""
    ids = {token: number for number, token in enumerate(vocab, start=1)}
    delimiter = ids.get(WORD_DELIMITER, 0) if spells(vocab) else 0
    rows = [(0, 1, 0), (0, 1, delimiter)]  # source, target, input label
    here, free = 1, 2
    for place, word in enumerate(words, start=1):
        end, free = free, free + 1
        for variant in lexicon[word]:
            state = here
            for token in variant[:-1]:
                rows.append((state, free, ids[token]))
                state, free = free, free + 1
            rows.append((state, end, ids[variant[-1]]))
        here, free = free, free + 1
        rows.append((end, here, delimiter))
        if place == len(words):
            rows.append((end, here, 0))
    sources, targets, inputs = np.unique(np.array(rows), axis=0).T
    nothing = np.zeros(len(sources))
    final = np.where(np.arange(free) == here, 0.0, np.inf)
    return with_blanks(Graph.build(sources, targets, inputs, nothing, nothing, final))
