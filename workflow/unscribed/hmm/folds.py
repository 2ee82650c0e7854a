"""Cross-labelling: what labels an utterance of the training audio has never seen it with its label.

A model that has learned an utterance repeats its label, errors included, so that self-training stands still. So the
utterances are divided into folds, and there is one model per fold, trained on the others. Utterances that none of them
has seen, as those of valid and test, are scored by all.
"""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.hmm.labels import Labelled

FOLDS = 2


def key_of(utterance: str) -> int:
    """Return a number that tells an utterance from others, by its name alone."""
    return zlib.crc32(utterance.encode())


def fold_of(utterance: str) -> int:
    """Return the fold of an utterance, which depends on its name alone and not on what else the corpus has."""
    return key_of(utterance) % FOLDS


def keys_of(utterances: Iterable[str]) -> np.ndarray:
    """Return the `key_of` all utterances in rising order, as `unseen_by` wants them."""
    return np.unique(np.array([key_of(utterance) for utterance in utterances], dtype=np.int64))


def unseen_by(utterance: str, learned: np.ndarray) -> Sequence[int]:
    """Return the folds whose models have not learned from an utterance: its own, or all if it is not in `learned`."""
    key = key_of(utterance)
    place = int(np.searchsorted(learned, key))
    known = place < len(learned) and learned[place] == key
    return [fold_of(utterance)] if known else range(FOLDS)


def all_but(fold: int, labelled: Sequence[Labelled], store: FrameStore) -> list[Labelled]:
    """Return the utterances that the model of a fold learns from. Raises UserError if there are none."""
    others = [item for item in labelled if fold_of(store.utterances[item.number]) != fold]
    if not others:
        raise UserError(
            f"{store.path} has {len(labelled)} utterance(s) with labels, too few to learn from one part and to label "
            "the other: give more recordings, or set hmm.steps without `network` and `cross`."
        )
    return others
