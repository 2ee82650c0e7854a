"""Stage select: choose among rounds of the matching and runs of the GAN by wav2vec-U's metric; no label is involved."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from unscribed.artifacts import Pathlike, atomic_path, read_table, write_json, write_table
from unscribed.errors import UserError
from unscribed.text.arpa import Arpa
from unscribed.text.inventory import read_inventory
from unscribed.text.label_free import Score, choose, score
from unscribed.text.silence import SilenceSettings

log = logging.getLogger(__name__)

SCORES = ("nll", "usage", "log_prob", "lm_perplexity", "weighted_perplexity")
CANDIDATES_SCHEMA = [
    *(("candidate", pa.string()), ("kind", pa.string())),
    *((name, pa.float64()) for name in SCORES),
    ("chosen", pa.bool_()),
]


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
    GAN holds all runs of a job; `selection` says which one, by its name. Raises UserError if the candidates decoded
    different utterances, and if none of them says anything.
    """
    language_model = Arpa.read(arpa)
    inventory = read_inventory(phones)
    tables = [read_table(path).set_index("utterance")["phones"] for path in hypotheses]
    for path, table in zip(hypotheses, tables, strict=True):
        if set(table.index) != set(tables[0].index):
            raise UserError(
                f"{path} and {hypotheses[0]} have different utterances, so they cannot be compared. Delete both and "
                "run the stage decode again."
            )
    scores = [score(table.tolist(), language_model, inventory, silence) for table in tables]
    best = choose(scores)
    write_table(candidates, _columns(names, kinds, scores, best), CANDIDATES_SCHEMA)
    with atomic_path(model) as temporary:
        temporary.write_bytes(Path(models[best]).read_bytes())
    write_json(selection, {"candidate": names[best], "kind": kinds[best]})
    for place, (name, found) in enumerate(zip(names, scores, strict=True)):
        log.info(
            "%s %s: NLL %.3f, usage %.2f, log probability %.0f, perplexity / usage² %.2f",
            *("chosen" if place == best else "      ", name, found.nll, found.usage, found.log_prob),
            found.weighted_perplexity,
        )


def _columns(names: Sequence[str], kinds: Sequence[str], scores: Sequence[Score], best: int) -> dict[str, list]:
    """One row per candidate."""
    return {
        "candidate": list(names),
        "kind": list(kinds),
        **{name: [getattr(found, name) for found in scores] for name in SCORES},
        "chosen": [place == best for place in range(len(names))],
    }
