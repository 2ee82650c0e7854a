"""Stage select: choose the candidate whose phones explain audio and text best; no label is used."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from unscribed.artifacts import Pathlike, atomic_path, write_json
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.selection.students import frame_phones, heard
from unscribed.tables import FLAG, REAL, TEXT, PhoneTable, Table
from unscribed.text.arpa import Arpa
from unscribed.text.inventory import read_inventory
from unscribed.text.label_free import metric, score
from unscribed.text.silence import SilenceSettings

log = logging.getLogger(__name__)

# Of wav2vec-U's metric against the evidence, in nats per frame. The evidence alone prefers sharp segments to right
# phones (a GAN of 16 % to a matching of 11 %), the metric alone what n-grams made fluent. Found on five corpora, with
# errors in sight (docs/results.md).
METRIC_WEIGHT = 0.2
SCORES = ("nll", "usage", "log_prob", "lm_perplexity", "weighted_perplexity")


class CandidateTable(Table):
    """Scores of the candidates on the split valid, and which of them was chosen.

    `evidence` is the joint log probability of audio and phones by the candidate's students, per frame. `merit`, of
    which the highest is chosen, is the evidence less a part of wav2vec-U's metric, NLL - log usage (§3.3). The others
    are wav2vec-U's scores, of the candidate's own phones.
    """

    SCHEMA: ClassVar = {
        "candidate": TEXT,
        "kind": TEXT,
        **dict.fromkeys((*SCORES, "evidence", "merit"), REAL),
        "chosen": FLAG,
    }


def select(
    *,
    hypotheses: Sequence[str],
    models: Sequence[str],
    names: Sequence[str],
    kinds: Sequence[str],
    frames: Pathlike,
    search_arpa: Pathlike,
    arpa: Pathlike,
    phones: Pathlike,
    silence: SilenceSettings,
    threads: int,
    candidates: Pathlike,
    selection: Pathlike,
    model: Pathlike,
) -> None:
    """Compare the candidates by their merit (CandidateTable), and copy the model of the chosen one to `model`.

    `hypotheses`, `models`, `names` and `kinds` (`match`, `gan`, `teacher`) list the candidates in one order;
    `hypotheses` are phones of the split valid, `frames` its PCA store. Students search with the n-grams `search_arpa`,
    and `arpa` gives the probability of their phones. A model file of the GAN holds all runs of a job; `selection` names
    the chosen one. Raises UserError if the candidates decoded different utterances, or if all of them decoded silence
    alone.
    """
    language_model = Arpa.read(arpa)
    inventory = read_inventory(phones)
    store = FrameStore(frames)
    tables = [PhoneTable.by_utterance(path) for path in hypotheses]
    for path, table in zip(hypotheses, tables, strict=True):
        if set(table.index) != set(tables[0].index):
            raise UserError(
                f"{path} and {hypotheses[0]} have different utterances, so they cannot be compared. Delete both and "
                "run the stage decode again."
            )
    scores, evidence = [], []
    for path, table in zip(hypotheses, tables, strict=True):
        own = score(table["phones"].tolist(), language_model, inventory, silence)
        labels = frame_phones(table, path, store, inventory)
        found = heard(store, labels, search_arpa, inventory, threads)
        joint = found.log_likelihood + score(found.phones, language_model, inventory, silence).log_prob
        scores.append(own)
        evidence.append(joint / found.frames if own.tokens else -math.inf)
    merit = [found - METRIC_WEIGHT * metric(own) for found, own in zip(evidence, scores, strict=True)]
    best = int(np.argmax(merit))
    if not scores[best].tokens:
        raise UserError(
            f"all {len(scores)} candidates give nothing but silence: their training collapsed. Try more seeds, a warm "
            "start from the phones of the matching, or other weights of the penalties."
        )
    CandidateTable(
        candidate=names,
        kind=kinds,
        **{name: [getattr(found, name) for found in scores] for name in SCORES},
        evidence=evidence,
        merit=merit,
        chosen=[place == best for place in range(len(names))],
    ).write(candidates)
    with atomic_path(model) as temporary:
        temporary.write_bytes(Path(models[best]).read_bytes())
    write_json(selection, {"candidate": names[best], "kind": kinds[best]})
    for place, (name, found) in enumerate(zip(names, scores, strict=True)):
        log.info(
            "%s %s: merit %.4f, evidence %.4f; NLL %.3f, usage %.2f, log probability %.0f, perplexity / usage² %.2f",
            *("chosen" if place == best else "      ", name, merit[place], evidence[place]),
            *(found.nll, found.usage, found.log_prob, found.weighted_perplexity),
        )
