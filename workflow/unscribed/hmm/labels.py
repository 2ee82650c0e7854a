"""Read phone labels with times for training, and check them.

Dimensions: T frames of an utterance, V phones.
"""

import logging
from dataclasses import dataclass

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.tables import PhoneTable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Labelled:
    """An utterance of the store: its number there, phone ids (1 … V) and their first frames."""

    number: int
    phone_ids: np.ndarray
    starts: np.ndarray


def read_labelled(path: Pathlike, store: FrameStore, phones: list[str], max_frames: int, seed: int) -> list[Labelled]:
    """Read the labelled utterances of `store`, in its order; a random part of them if they exceed `max_frames`.

    Utterances without phones are left out and counted. Raises UserError for labels of another store or inventory, and
    for labels from which nothing can be learned: none, or one phone only.
    """
    table = PhoneTable.by_utterance(path)
    ids = {phone: number for number, phone in enumerate(phones, start=1)}
    used = {phone for row in table["phones"] for phone in row}
    if unknown := used - ids.keys():
        raise UserError(
            f"{path} has the phones {', '.join(sorted(unknown)[:5])}, which are not in the inventory: it was made from "
            "other text. Delete it and run its stage again."
        )
    if len(used - {phones[0]}) < 2:
        raise UserError(
            f"{path} uses {'one phone only' if used - {phones[0]} else 'no phone'}: the mapping has collapsed and an "
            "HMM would learn nothing from it. See the scores of the candidates in select/candidates.parquet; more "
            "seeds (match.seeds) or more audio may help."
        )
    found = []
    for number, utterance in enumerate(store.utterances):
        if utterance not in table.index or not len(table["phones"][utterance]):
            continue
        row = table.loc[utterance]
        frames = int(store.lengths[number])
        if row["frames"] != frames:
            raise UserError(
                f"{path}: utterance {utterance} has {row['frames']} frames, but {frames} in {store.path}. The two come "
                "from different runs: delete the labels and run their stage again."
            )
        labels = np.array([ids[phone] for phone in row["phones"]], dtype=np.int32)
        found.append(Labelled(number, labels, np.asarray(row["starts_frames"], dtype=np.int64)))
    if not found:
        raise UserError(
            f"{path} names no utterance of {store.path}: the two come from different runs. Delete the labels and run "
            "their stage again."
        )
    if len(found) < len(store):
        log.info("%d of %d utterances have no labels and are left out", len(store) - len(found), len(store))
    return _part(found, store, max_frames, seed)


def _part(found: list[Labelled], store: FrameStore, max_frames: int, seed: int) -> list[Labelled]:
    lengths = store.lengths[[item.number for item in found]]
    if lengths.sum() <= max_frames:
        return found
    order = np.random.default_rng(seed).permutation(len(found))
    chosen = np.sort(order[: max(1, int(np.searchsorted(lengths[order].cumsum(), max_frames)))])
    log.info("%d of %d utterances are trained on (hmm.max_memory_mb)", len(chosen), len(found))
    return [found[place] for place in chosen]
