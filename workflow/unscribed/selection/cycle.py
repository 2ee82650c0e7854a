"""Stage hmm_select: choose the self-training cycle whose decoded phones are statistically closest to the text."""

import logging
import shutil
from collections.abc import Sequence

import numpy as np

from unscribed.artifacts import Pathlike, atomic_path, write_json
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.matching.statistics import count, discrepancy, flatten
from unscribed.tables import PhoneTable
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)


def hmm_select(
    *,
    models: Sequence[str],
    decoded: Sequence[str],
    phones_text: Pathlike,
    phones: Pathlike,
    match: MatchSettings,
    model: Pathlike,
    selection: Pathlike,
) -> None:
    """Copy the model of the cycle with the lowest discrepancy from the text to `model`; no label is used.

    `models` and `decoded` (phones of the training audio) list the cycles in order; with one cycle `decoded` is empty
    and nothing is compared.
    """
    discrepancies = _discrepancies(decoded, phones_text, phones, match)
    best = int(np.argmin(discrepancies)) if discrepancies else 0
    with atomic_path(model) as temporary:
        shutil.copyfile(models[best], temporary)
    write_json(selection, {"cycle": best + 1, "discrepancies": discrepancies})
    log.info("cycle %d; discrepancies: %s", best + 1, discrepancies or "none, as there is only one cycle")


def _discrepancies(
    decoded: Sequence[str], phones_text: Pathlike, phones: Pathlike, match: MatchSettings
) -> list[float]:
    """Measure the discrepancy from the text of the decoded phones of each cycle."""
    inventory = read_inventory(phones)
    index = {phone: number for number, phone in enumerate(inventory)}
    discrepancies = []
    for path in decoded:
        found = [np.array([index[phone] for phone in row], dtype=np.int64) for row in PhoneTable.read(path)["phones"]]
        statistics = count(*flatten(found), len(inventory), match.skips, match.positions)
        discrepancies.append(discrepancy(statistics, read_text(phones_text, inventory, match)[0]))
    return discrepancies
