"""Stage select: choose among rounds of the matching and runs of the GAN by wav2vec-U's metric; no label is used."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from unscribed.artifacts import Pathlike, atomic_path, write_json
from unscribed.errors import UserError
from unscribed.tables import FLAG, REAL, TEXT, PhoneTable, Table
from unscribed.text.arpa import Arpa
from unscribed.text.inventory import read_inventory
from unscribed.text.label_free import choose, score
from unscribed.text.silence import SilenceSettings

log = logging.getLogger(__name__)

SCORES = ("nll", "usage", "log_prob", "lm_perplexity", "weighted_perplexity")


class CandidateTable(Table):
    """Scores of the candidates on the split valid, and which of them was chosen."""

    SCHEMA: ClassVar = {"candidate": TEXT, "kind": TEXT, **dict.fromkeys(SCORES, REAL), "chosen": FLAG}


def select(
    *,
    hypotheses: Sequence[str],
    models: Sequence[str],
    names: Sequence[str],
    kinds: Sequence[str],
    arpa: Pathlike,
    phones: Pathlike,
    silence: SilenceSettings,
    candidates: Pathlike,
    selection: Pathlike,
    model: Pathlike,
) -> None:
    """Score every candidate's phones of the split valid, and copy the model of the chosen one to `model`.

    `hypotheses`, `models`, `names` and `kinds` (`match`, `gan`) list the candidates in one order. A model file of the
    GAN holds all runs of a job; `selection` names the chosen one. Raises UserError if the candidates decoded different
    utterances, or if all of them decoded silence alone.
    """
    language_model = Arpa.read(arpa)
    inventory = read_inventory(phones)
    tables = [PhoneTable.by_utterance(path)["phones"] for path in hypotheses]
    for path, table in zip(hypotheses, tables, strict=True):
        if set(table.index) != set(tables[0].index):
            raise UserError(
                f"{path} and {hypotheses[0]} have different utterances, so they cannot be compared. Delete both and "
                "run the stage decode again."
            )
    scores = [score(table.tolist(), language_model, inventory, silence) for table in tables]
    best = choose(scores)
    CandidateTable(
        candidate=names,
        kind=kinds,
        **{name: [getattr(found, name) for found in scores] for name in SCORES},
        chosen=[place == best for place in range(len(names))],
    ).write(candidates)
    with atomic_path(model) as temporary:
        temporary.write_bytes(Path(models[best]).read_bytes())
    write_json(selection, {"candidate": names[best], "kind": kinds[best]})
    for place, (name, found) in enumerate(zip(names, scores, strict=True)):
        log.info(
            "%s %s: NLL %.3f, usage %.2f, log probability %.0f, perplexity / usage² %.2f",
            *("chosen" if place == best else "      ", name, found.nll, found.usage, found.log_prob),
            found.weighted_perplexity,
        )
