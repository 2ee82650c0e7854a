"""Stage decode: the phones of one split, with their times."""

import logging

import numpy as np

from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.search import FrameClassifier, decode_utterances
from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams
from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.segmentation.segment import runs
from unscribed.tables import PhoneTable

log = logging.getLogger(__name__)


def decode(
    *, frames: Pathlike, model: Pathlike, arpa: Pathlike, settings: DecodeSettings, threads: int, decoded: Pathlike
) -> None:
    """Decode every utterance of the PCA store `frames` with `model`; write phones and their first frames."""
    store = FrameStore(frames)
    table = decode_frames(AcousticModel.read(model), store, arpa, settings, threads)
    table.write(decoded, store.metadata)
    log.info("%d utterances decoded, %d phones", len(store), sum(map(len, table.columns["phones"])))


def decode_frames(
    classifier: FrameClassifier, store: FrameStore, arpa: Pathlike, settings: DecodeSettings, threads: int
) -> PhoneTable:
    """Decode every utterance of `store` with the phone n-grams `arpa`; return the phones and their first frames."""
    trigrams = PhoneTrigrams.read(arpa, list(classifier.phones), settings)
    table = PhoneTable()
    inventory = np.array(classifier.phones)
    for first, last, _, path in decode_utterances(classifier, store, trigrams, settings, threads):
        for number in range(first, last):
            start, end = store.offsets[number : number + 2] - store.offsets[first]
            edges = runs(path[start:end])
            table.append(
                utterance=store.utterances[number],
                phones=inventory[path[start:end][edges[:-1]]].tolist(),
                starts_frames=edges[:-1],
                frames=int(end - start),
            )
    return table
