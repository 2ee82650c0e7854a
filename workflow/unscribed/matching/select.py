"""Stage select: choose among seeds and rounds by the loss alone."""

import logging
import shutil
from collections.abc import Sequence

import numpy as np

from unscribed.artifacts import Pathlike, atomic_path, read_json, write_json

log = logging.getLogger(__name__)


def select(
    *,
    losses: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    rounds: int,
    selection: Pathlike,
    model: Pathlike,
) -> None:
    """Copy the acoustic model of the seed and round with the lowest loss to `model`; no label is involved.

    `losses` (files of the stage resegment) and `models` list all rounds of the first seed, then of the second, and so
    on. `selection` gets `seed`, `round`, `loss` and the lowest loss of each seed.
    """
    table = np.array([read_json(path)["loss"] for path in losses]).reshape(len(seeds), rounds)
    place = int(table.argmin())
    seed, last = divmod(place, rounds)
    with atomic_path(model) as temporary:
        shutil.copyfile(models[place], temporary)
    by_seed = {str(name): float(row.min()) for name, row in zip(seeds, table, strict=True)}
    write_json(selection, {"seed": seeds[seed], "round": last + 1, "loss": float(table[seed, last]), "losses": by_seed})
    log.info("seed %d, round %d: loss %.3f; all seeds: %s", seeds[seed], last + 1, table[seed, last], by_seed)
