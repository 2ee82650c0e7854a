"""What a recogniser hears in a piece of audio: HMMs or a fine-tuned model, each with its word graph.

Dimensions: N samples, T frames, V tokens of CTC.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from unscribed.ctc.decode import word_row
from unscribed.ctc.graph import pronunciations, spells
from unscribed.ctc.posteriors import posteriors, read_ctc_model
from unscribed.ctc.search import PosteriorScorer, aligned_words
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.hmm.words import WordReader
from unscribed.recogniser.folder import CTC_MODEL, GRAPH, LEXICON, MODEL, PCA, WORDS, Card
from unscribed.recogniser.front_end import UTTERANCE, front_end
from unscribed.ssl.waveform import frames_of, normalized, receptive_field
from unscribed.text.lexicon import by_word
from unscribed.wfst.graph import Graph
from unscribed.wfst.nbest import Hypothesis, n_best
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import Decoder
from unscribed.wfst.word_times import confidences


class Ear(Protocol):
    """A model with its graph: `hop_ms` between two frames, at least `shortest` samples.

    `set_speaker` is that of its frames (unscribed.recogniser.front_end).
    """

    hop_ms: float
    shortest: int
    set_speaker: Callable[[Iterable[np.ndarray]], None] | None

    def __call__(self, samples: np.ndarray) -> dict[str, Any] | None:
        """Return a row of a WordTable for the speech (N,) of a piece; None if no path of the graph fits it."""
        ...


class HmmEar:
    """The final HMM of a corpus. Raises UserError if a file is missing or damaged."""

    def __init__(self, folder: Path, card: Card) -> None:
        pca = folder / PCA if card.projected else None
        inside = folder / card.checkpoint  # a name on the hub is no folder there
        checkpoint = str(inside) if card.checkpoint and inside.is_dir() else card.checkpoint
        if card.features is None:
            raise ValueError("a recogniser of HMMs has features")
        self.frames = front_end(card.features, checkpoint, card.sample_rate_hz, pca)
        self.hop_ms, self.shortest = self.frames.hop_ms, self.frames.shortest
        self.set_speaker = self.frames.set_speaker
        self.model, graph = HmmModel.read(folder / MODEL), Graph.read(folder / GRAPH)
        self.decoder = Decoder(self.model, graph, card.weights, card.search, card.nbest.lattice_beam)
        own = (folder / LEXICON, folder / WORDS, card.nbest.nbest)
        self.words = WordReader(self.model.topology, *own, card.weights, card.edits)

    def __call__(self, samples: np.ndarray) -> dict[str, Any] | None:
        """Return what is heard in the speech (N,) of a piece."""
        store = self.frames(samples)
        scores = self.model.scores(store, 0)
        lattice = self.decoder.decode(scores)
        return {**self.words(lattice, scores), "frames": len(scores)} if lattice else None


class CtcEar:
    """A fine-tuned model with word n-grams. Raises UserError if a file is missing or damaged."""

    set_speaker = None  # the model normalises each piece by itself

    def __init__(self, folder: Path, card: Card) -> None:
        self.network, self.vocab, self.normalize = read_ctc_model(folder / CTC_MODEL)
        config = self.network.config
        self.convolutions = (config.conv_kernel, config.conv_stride)
        self.shortest, hop = receptive_field(*self.convolutions)
        self.hop_ms = 1000 * hop / card.sample_rate_hz
        symbols = read_symbols(folder / WORDS)
        self.names = {number: word for word, number in symbols.items()}
        self.lexicon = by_word(pronunciations(self.vocab, symbols, folder / LEXICON))
        self.nbest = card.nbest
        graph = Graph.read(folder / GRAPH)
        self.decoder = Decoder(PosteriorScorer(), graph, card.weights, card.search, card.nbest.lattice_beam)

    def __call__(self, samples: np.ndarray) -> dict[str, Any] | None:
        """Return what is heard in the speech (N,) of a piece."""
        wave = normalized(samples) if self.normalize else samples
        frames = frames_of(torch.tensor([len(samples)]), *self.convolutions).numpy()
        (found,) = posteriors(self.network, [wave], frames, nullcontext())
        lattice = self.decoder(FrameStore.in_memory({UTTERANCE: found}, {}), 0)
        if lattice is None:
            return None
        best = lattice.symbols().tolist()
        hypotheses = n_best(lattice, self.nbest.nbest) or [Hypothesis(tuple(best), -lattice.cost)]
        times = aligned_words(lattice.alignment(), [self.names[word] for word in best], self.vocab, self.lexicon)
        sure = confidences(best, hypotheses)
        return word_row(UTTERANCE, len(found), times, sure, nbest=[], scores=[], keep_tokens=not spells(self.vocab))


EARS: dict[str, type[HmmEar] | type[CtcEar]] = {"hmm": HmmEar, "ctc": CtcEar}  # by the kind of the card
