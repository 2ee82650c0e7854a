"""Stage resegment: new segments of the training audio from the acoustic model, for the next round of matching.

Dimensions: T frames, D features, S segments, V phones.
"""

import logging

import numpy as np

from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.search import decode_utterances
from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams
from unscribed.artifacts import Pathlike, write_json
from unscribed.frames import FrameStore, FrameWriter
from unscribed.matching import statistics
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.segmentation.represent import represent
from unscribed.segmentation.segment import runs
from unscribed.tables import BoundaryTable

log = logging.getLogger(__name__)


def resegment(
    *,
    frames: Pathlike,
    model: Pathlike,
    arpa: Pathlike,
    phones_text: Pathlike,
    match: MatchSettings,
    decode: DecodeSettings,
    threads: int,
    boundaries: Pathlike,
    segments: Pathlike,
    labels: Pathlike,
    discrepancy: Pathlike,
) -> None:
    """Decode the training audio and write each run of one phone as a segment.

    Outputs: `boundaries`; `segments`, representations (S, D + V) of the mean frame and the mean log posteriors;
    `labels` (S, 1), their phones; `discrepancy`, the distance between the statistics of the decoded phones and of the
    text, which can be compared between rounds and seeds.
    """
    store, acoustic = FrameStore(frames), AcousticModel.read(model)
    trigrams = PhoneTrigrams.read(arpa, acoustic.phones, decode)
    all_edges, all_phones = [], []
    with FrameWriter(segments) as writer, FrameWriter(labels, {"phones": acoustic.phones}, "int32") as label_writer:
        for first, last, log_posteriors, path in decode_utterances(acoustic, store, trigrams, decode, threads):
            for number in range(first, last):
                start, end = store.offsets[number : number + 2] - store.offsets[first]
                edges = runs(path[start:end])
                phones = path[start:end][edges[:-1]].astype(np.int64)
                writer.append(store.utterances[number], represent(store[number], log_posteriors[start:end], edges))
                label_writer.append(store.utterances[number], phones[:, None])
                all_edges.append(edges)
                all_phones.append(phones)
        BoundaryTable(utterance=store.utterances, boundaries_frames=all_edges).write(boundaries)
    text, _ = read_text(phones_text, acoustic.phones, match)
    audio = statistics.count(*statistics.flatten(all_phones), len(acoustic.phones), match.skips, match.positions)
    value = statistics.discrepancy(audio, text)
    log.info("%d segments; discrepancy from the text %.3f", sum(map(len, all_phones)), value)
    write_json(discrepancy, {"discrepancy": value})
