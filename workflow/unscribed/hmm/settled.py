"""The end of self-training: where two models in a row hear nearly the same, further steps of their way change nothing.

The measure is the one that tunes the decoding: the edits between what both models decode with the same weights. No
label is used. A step after that is passed over: its files are those of the step before, so that all stages after it
find what they need.
"""

import logging
import shutil
from collections.abc import Mapping

from unscribed.artifacts import Pathlike, atomic_path, read_json

log = logging.getLogger(__name__)


def passed_on(weights: Pathlike | None, settled: float, copies: Mapping[Pathlike, Pathlike | None]) -> bool:
    """Copy files of the step before, if self-training has settled there; return whether it has.

    `weights`: what the step before decoded with, and its edits per phone, in which it has settled if they are fewer
    than `settled`. It is None for a step that must not be passed over. `copies`: for each file that the step would
    make, that of the step before.
    """
    if not weights:  # Snakemake gives an empty list where there is no such file
        return False
    edits = read_json(weights)["score"]
    if edits >= settled:
        return False
    for target, source in copies.items():
        with atomic_path(target) as temporary:
            shutil.copyfile(str(source), temporary)
    log.info("passed over: the two steps before differ in %.4f of the phones, fewer than hmm.settled", edits)
    return True
