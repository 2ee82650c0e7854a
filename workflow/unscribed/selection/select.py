"""Stage select: choose the candidate whose students explain audio and text best; no label is used."""

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
from unscribed.text.label_free import Score, score, sentence_log_prob
from unscribed.text.silence import SilenceSettings

log = logging.getLogger(__name__)

ERRORS = 2.0  # standard errors of a difference, above which one of two candidates explains the utterances better
SCORES = ("nll", "usage", "log_prob", "lm_perplexity", "weighted_perplexity")


class CandidateTable(Table):
    """Scores of the candidates on the split valid, and which of them was chosen.

    `evidence` is the joint log probability of audio and phones by the candidate's students, per frame: highest is best.
    The others are wav2vec-U's, of the candidate's own phones; they had no part in the choice.
    """

    SCHEMA: ClassVar = {
        "candidate": TEXT,
        "kind": TEXT,
        **dict.fromkeys((*SCORES, "evidence"), REAL),
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
    """Compare the candidates by what students of their phones decode, and copy the model of the chosen one to `model`.

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
    scores, joint, frames_heard = [], [], 1
    for path, table in zip(hypotheses, tables, strict=True):
        found = heard(store, frame_phones(table, path, store, inventory), search_arpa, inventory, threads)
        said = np.array([sentence_log_prob(phones, language_model, silence) for phones in found.phones])
        scores.append(score(table["phones"].tolist(), language_model, inventory, silence))
        joint.append(found.log_likelihoods + said if scores[-1].tokens else np.full(len(said), -np.inf))
        frames_heard = found.frames
    evidence = [float(one.sum()) / frames_heard for one in joint]
    best = choose_explanation(joint, scores)
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
        chosen=[place == best for place in range(len(names))],
    ).write(candidates)
    with atomic_path(model) as temporary:
        temporary.write_bytes(Path(models[best]).read_bytes())
    write_json(selection, {"candidate": names[best], "kind": kinds[best]})
    for place, (name, found) in enumerate(zip(names, scores, strict=True)):
        log.info(
            "%s %s: evidence %.4f per frame; NLL %.3f, usage %.2f, log probability %.0f, perplexity / usage² %.2f",
            *("chosen" if place == best else "      ", name, evidence[place]),
            *(found.nll, found.usage, found.log_prob, found.weighted_perplexity),
        )


def choose_explanation(joint: Sequence[np.ndarray], scores: Sequence[Score]) -> int:
    """Return the candidate with the highest joint log probabilities of the utterances, `joint` (U,) of each candidate.

    Those that the utterances do not tell from it, because the difference is within ERRORS standard errors of the sum,
    are compared with it by wav2vec-U's metric of their own phones, NLL - log usage (§3.3), of which the lowest wins.
    """
    best = int(np.argmax([one.sum() for one in joint]))
    if not scores[best].tokens:
        return best
    kept = {best: _metric(scores[best])}
    for place, one in enumerate(joint):
        away = joint[best] - one
        if place != best and scores[place].tokens and away.sum() <= ERRORS * math.sqrt(len(away)) * away.std():
            kept[place] = _metric(scores[place])
    return min(kept, key=lambda place: kept[place])


def _metric(score: Score) -> float:
    return score.nll - math.log(score.usage)
