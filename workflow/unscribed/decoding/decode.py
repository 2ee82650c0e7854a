"""Stage decode: the phones of one split, with their times."""

import logging

import numpy as np
import pyarrow as pa

from unscribed.artifacts import FrameStore, Pathlike, write_table
from unscribed.decoding.acoustic import AcousticModel
from unscribed.decoding.search import decode_utterances
from unscribed.decoding.viterbi import DecodeSettings, Grammar
from unscribed.units.segment import runs

log = logging.getLogger(__name__)

DECODE_SCHEMA = [
    ("utterance", pa.string()),
    ("phones", pa.list_(pa.string())),
    ("starts_frames", pa.list_(pa.int64())),
    ("frames", pa.int64()),
]


def decode(
    *, frames: Pathlike, model: Pathlike, arpa: Pathlike, settings: DecodeSettings, threads: int, decoded: Pathlike
) -> None:
    """Decode every utterance of the PCA store `frames` with `model`; write phones and their first frames."""
    store, acoustic = FrameStore(frames), AcousticModel.read(model)
    grammar = Grammar.read(arpa, acoustic.phones, settings)
    columns: dict[str, list] = {name: [] for name, _ in DECODE_SCHEMA}
    inventory = np.array(acoustic.phones)
    for first, last, _, path in decode_utterances(acoustic, store, grammar, settings, threads):
        for number in range(first, last):
            start, end = store.offsets[number : number + 2] - store.offsets[first]
            edges = runs(path[start:end])
            columns["utterance"].append(store.utterances[number])
            columns["phones"].append(inventory[path[start:end][edges[:-1]]].tolist())
            columns["starts_frames"].append(edges[:-1])
            columns["frames"].append(int(end - start))
    write_table(decoded, columns, DECODE_SCHEMA, store.metadata)
    log.info("%d utterances decoded, %d phones", len(store), sum(map(len, columns["phones"])))
