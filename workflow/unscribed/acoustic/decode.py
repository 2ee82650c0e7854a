"""Stage decode: the phones of one split, with their times."""

import logging

import numpy as np

from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.search import decode_utterances
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
    store, acoustic = FrameStore(frames), AcousticModel.read(model)
    trigrams = PhoneTrigrams.read(arpa, acoustic.phones, settings)
    table = PhoneTable()
    inventory = np.array(acoustic.phones)
    for first, last, _, path in decode_utterances(acoustic, store, trigrams, settings, threads):
        for number in range(first, last):
            start, end = store.offsets[number : number + 2] - store.offsets[first]
            edges = runs(path[start:end])
            table.append(
                utterance=store.utterances[number],
                phones=inventory[path[start:end][edges[:-1]]].tolist(),
                starts_frames=edges[:-1],
                frames=int(end - start),
            )
    table.write(decoded, store.metadata)
    log.info("%d utterances decoded, %d phones", len(store), sum(map(len, table.columns["phones"])))
