"""Beam search with the posteriors of CTC, and the times of the words that it finds.

Dimensions: T frames of an utterance, V tokens of the vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unscribed.ctc.graph import BLANK, spells, with_blanks
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.text.letters import WORD_DELIMITER
from unscribed.text.lexicon import Lexicon
from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import Lattice
from unscribed.wfst.search import SearchSettings, decode_store
from unscribed.wfst.weights import Weights
from unscribed.wfst.word_times import word_spans


class PosteriorScorer:
    """Scores frames by the posteriors themselves."""

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
    store: FrameStore,
    graph: Graph,
    weights: Weights,
    settings: SearchSettings,
    threads: int,
    numbers: Sequence[int],
    lattice_beam: float = 0.0,
) -> Iterator[Lattice | None]:
    """The lattice of each utterance in `numbers`, in order; None where no path of the graph fits it.

    Raises UserError if the graph was made for more tokens than the store has.
    """
    if len(store) and graph.inputs.max() > store.data.shape[1]:
        raise UserError(f"{store.path} has fewer tokens than the graph: delete the graph and run ctc_graph again.")
    yield from decode_store(PosteriorScorer(), store, graph, weights, settings, threads, numbers, lattice_beam)


@dataclass(frozen=True)
class AlignedWords:
    """Words and tokens (with the delimiter) of an utterance: their first frames, for words also the first after."""

    words: list[str]
    tokens: list[str]
    token_starts: list[int]
    word_starts: list[int]
    word_ends: list[int]


def aligned_words(alignment: np.ndarray, words: Sequence[str], vocab: Sequence[str], lexicon: Lexicon) -> AlignedWords:
    """Times from the input label of each frame, (T,): a word lasts as long as its tokens.

    `lexicon` has the tokens of each word. Raises ValueError if those of the alignment are no pronunciation of `words`.
    """
    edges = np.flatnonzero(np.diff(alignment, prepend=0, append=0))
    runs = [(first, end, vocab[alignment[first] - 1]) for first, end in pairwise(edges) if alignment[first] != BLANK]
    sounds = [run for run in runs if run[2] != WORD_DELIMITER]
    spans = word_spans(words, [token for *_, token in sounds], lexicon)
    return AlignedWords(
        list(words),
        [token for *_, token in runs],
        [int(first) for first, *_ in runs],
        [int(sounds[first][0]) for first, _ in spans],
        [int(sounds[last - 1][1]) for _, last in spans],
    )


def sentence_graph(words: Sequence[str], vocab: Sequence[str], lexicon: Lexicon) -> Graph:
    """Build the graph of all token sequences of one sentence, with which the search aligns instead of recognising."""
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
