"""Stage ctc_tune: weight of the n-grams and cost of a word, chosen on some utterances of the split valid.

With transcripts the word error rate decides, as in wav2vec 2.0 (Baevski et al. 2020, appendix B). A model that has
learned from pseudo-labels alone is judged without any, by the score of the stage hmm_tune: logarithm of the perplexity
of the words times the edit rate, in letters, to the pseudo-labels.
"""

import itertools
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import kaldialign
import numpy as np
import pyarrow as pa

from unscribed.artifacts import Pathlike, write_json, write_table
from unscribed.ctc.search import CtcSettings, lattices
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.references import transcripts
from unscribed.tables import PseudoLabelTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.normalize import words_of
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import Beam, Weights

log = logging.getLogger(__name__)

TUNING_SCHEMA = [
    ("lm_weight", pa.float64()),
    ("insertion_penalty", pa.float64()),
    ("perplexity", pa.float64()),
    ("error_rate", pa.float64()),
    ("score", pa.float64()),
    ("chosen", pa.bool_()),
]


@dataclass(frozen=True)
class Judge:
    """What decoded words are compared with: transcripts, or pseudo-labels of the same utterances."""

    words: dict[str, list[str]]
    transcribed: bool

    @classmethod
    def read(
        cls, references: Pathlike | Sequence[str], pseudo_labels: Pathlike | Sequence[str], language: str
    ) -> "Judge":
        """From tables with the columns utterance and words; the pseudo-labels count only without `references`.

        Raises UserError if there is neither.
        """
        if not references and not pseudo_labels:
            raise UserError("nothing to choose the weights of a decoding by: neither transcripts nor pseudo-labels.")
        if references:
            return cls(words_of(transcripts(references), language), True)
        pairs = PseudoLabelTable.read(pseudo_labels)[["utterance", "words"]].itertuples(index=False)
        return cls(words_of(dict(pairs), language), False)

    def edits(self, utterance: str, words: Sequence[str]) -> tuple[int, int]:
        """Errors and length of the reference: in words, or for pseudo-labels in letters, spaces included."""
        pair = (self.words[utterance], list(words))
        reference, hypothesis = pair if self.transcribed else (list(" ".join(side)) for side in pair)
        return kaldialign.edit_distance(reference, hypothesis)["total"], len(reference)

    def score(self, error_rate: float, log_perplexity: float) -> float:
        """The lowest wins."""
        return error_rate if self.transcribed else error_rate * log_perplexity

    def choose(self, utterances: Sequence[str], count: int, seed: int) -> list[int]:
        """The numbers of `count` random utterances that have words here. Raises UserError if none has."""
        numbers = [number for number, name in enumerate(utterances) if self.words.get(name)]
        if not numbers:
            raise UserError(
                "no utterance of the split valid has words in its transcripts or pseudo-labels, so that no weights "
                "can be chosen: check that they name the same files."
            )
        return np.sort(np.random.default_rng(seed).permutation(numbers)[:count]).tolist()


def ctc_tune(
    *,
    log_probs: Pathlike,
    graph: Pathlike,
    word_symbols: Pathlike,
    arpa: Pathlike,
    references: Pathlike | Sequence[str],
    pseudo_labels: Pathlike | Sequence[str],
    language: str,
    settings: CtcSettings,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
) -> None:
    """Decode some utterances with all weights; write the scores, and the weights with the lowest.

    `references` are transcripts, or an empty list: then the label-free score with `pseudo_labels` decides. `arpa` is
    the word language model. Raises UserError without either, and if no utterance is found in both.
    """
    store, decoding = FrameStore(log_probs), Graph.read(graph)
    names = {number: word for word, number in read_symbols(word_symbols).items()}
    judge, language_model = Judge.read(references, pseudo_labels, language), Arpa.read(arpa)
    chosen = judge.choose(store.utterances, settings.tune_utterances, seed)
    beam = Beam(settings.beam, settings.max_active, 0.0)
    rows = []
    for weight, penalty in itertools.product(settings.lm_weights, settings.insertion_penalties):
        found = lattices(store, decoding, Weights(weight, penalty), beam, threads, chosen)
        said = [[names[word] for word in lattice.symbols().tolist()] if lattice else [] for lattice in found]
        counts = [judge.edits(store.utterances[number], words) for number, words in zip(chosen, said, strict=True)]
        rate = sum(errors for errors, _ in counts) / sum(length for _, length in counts)
        surprise = perplexity(language_model, [" ".join(words) for words in said if words])["perplexity"] or math.inf
        rows.append((weight, penalty, surprise, rate, judge.score(rate, math.log(surprise))))
        log.info("LM weight %g, penalty %g: perplexity %.1f, error rate %.4f, score %.4f", *rows[-1])
    best = min(range(len(rows)), key=lambda place: rows[place][4])
    if not math.isfinite(rows[best][2]):
        raise UserError(
            f"no words were found in the {len(chosen)} utterances of {log_probs}: the model may have learned nothing, "
            "see its curves, or the search is too narrow (ctc.beam, ctc.max_active)."
        )
    columns = [*map(list, zip(*rows, strict=True)), [place == best for place in range(len(rows))]]
    write_table(tuning, dict(zip([name for name, _ in TUNING_SCHEMA], columns, strict=True)), TUNING_SCHEMA)
    write_json(weights, {"lm_weight": rows[best][0], "insertion_penalty": rows[best][1], "score": rows[best][4]})
