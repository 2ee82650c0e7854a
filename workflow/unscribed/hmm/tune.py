"""Stage hmm_tune: weight of the language model and insertion penalty, chosen without labels.

The score is that of wav2vec-U's self-training (Baevski et al. 2021, §3.4 and its code): the logarithm of the
hypotheses' perplexity times their phone edit rate to the labels of the mapping, which must not be followed too far
(`min_edit_rate`). The lowest wins. A low perplexity alone would favour too much language model, a low edit rate too
little.
"""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import kaldialign
import numpy as np
import pyarrow as pa

from unscribed.artifacts import Pathlike, write_json, write_table
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.tables import PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.silence import SilenceSettings, as_sentence, strip_silence
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import Beam, Weights, decode_store

log = logging.getLogger(__name__)

TUNING_SCHEMA = [
    ("lm_weight", pa.float64()),
    ("insertion_penalty", pa.float64()),
    ("perplexity", pa.float64()),
    ("edit_rate", pa.float64()),
    ("score", pa.float64()),
    ("chosen", pa.bool_()),
]


@dataclass(frozen=True)
class TuneSettings:
    """What of section `hmm` of the configuration is about decoding and its weights."""

    lm_weights: list[float]
    insertion_penalties: list[float]
    min_edit_rate: float
    tune_utterances: int
    beam: float
    max_active: int


def hmm_tune(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    labels: Pathlike,
    arpa: Pathlike,
    settings: TuneSettings,
    silence: SilenceSettings,
    transcribed: bool,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
) -> None:
    """Decode some utterances of `labels` with all weights; write the scores, and the weights with the lowest.

    `labels` are the mapping's phones of the same utterances; `arpa` is a phone language model. If `labels` are
    transcripts (`transcribed`, only in the supervised recogniser), the score is the edit rate alone. Raises UserError
    if store and labels have no utterance in common.
    """
    store, acoustic, decoding = FrameStore(features), HmmModel.read(model), Graph.read(graph)
    pseudo = {row.utterance: strip_silence(row.phones) for row in PhoneTable.read(labels).itertuples()}
    numbers = [number for number, name in enumerate(store.utterances) if len(pseudo.get(name, ()))]
    if not numbers:
        raise UserError(f"{labels} has no phones for any utterance of {features}: run the stage decode again.")
    chosen = np.sort(np.random.default_rng(seed).permutation(numbers)[: settings.tune_utterances]).tolist()
    language_model = Arpa.read(arpa)
    rows = []
    for weight, penalty in itertools.product(settings.lm_weights, settings.insertion_penalties):
        beam = Beam(settings.beam, settings.max_active, 0.0)
        found = decode_store(acoustic, store, decoding, Weights(weight, penalty), beam, threads, chosen)
        hypotheses = [
            [acoustic.topology.phones[phone - 1] for phone in acoustic.topology.phones_of(lattice.alignment())[0]]
            if lattice
            else []
            for lattice in found
        ]
        rate = edit_rate([pseudo[store.utterances[number]] for number in chosen], hypotheses)
        surprise = hypothesis_perplexity(hypotheses, language_model, silence)
        score = rate if transcribed else float(np.log(surprise) * max(rate, settings.min_edit_rate))
        rows.append((weight, penalty, surprise, rate, score))
        log.info("LM weight %g, penalty %g: perplexity %.2f, edit rate %.3f, score %.4f", *rows[-1])
    best = min(range(len(rows)), key=lambda place: rows[place][4])
    if not np.isfinite(rows[best][4]):
        raise UserError(
            f"no path of {graph} explains any of the {len(chosen)} utterances of {features}: they may be shorter than "
            "the shortest word or phone (hmm.states), or the search too narrow (hmm.beam, hmm.max_active)."
        )
    columns = [*map(list, zip(*rows, strict=True)), [place == best for place in range(len(rows))]]
    write_table(tuning, dict(zip([name for name, _ in TUNING_SCHEMA], columns, strict=True)), TUNING_SCHEMA)
    write_json(weights, {"lm_weight": rows[best][0], "insertion_penalty": rows[best][1], "score": rows[best][4]})


def edit_rate(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> float:
    """Phone edits per phone of `references`, silence left out on both sides."""
    errors = sum(
        kaldialign.edit_distance(list(reference), strip_silence(hypothesis))["total"]
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    )
    return errors / max(1, sum(map(len, references)))


def hypothesis_perplexity(hypotheses: Sequence[Sequence[str]], arpa: Arpa, silence: SilenceSettings) -> float:
    """Perplexity of phone sequences, whose silences are first made those of the model's text: at the ends, or none.

    Infinite if there is no phone at all.
    """
    lines = [" ".join(line) for found in hypotheses if (line := as_sentence(found, silence))]
    return perplexity(arpa, lines)["perplexity"] or float("inf")
