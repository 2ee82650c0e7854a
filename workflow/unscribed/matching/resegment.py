"""Stage resegment: new segments of the training audio from the acoustic model, for the next round of matching.

Dimensions: T frames, D features, S segments, V phones.
"""

import logging

import numpy as np

from unscribed.artifacts import FrameStore, FrameWriter, Pathlike, write_json, write_table
from unscribed.decoding.acoustic import AcousticModel
from unscribed.decoding.search import decode_utterances
from unscribed.decoding.viterbi import DecodeSettings, Grammar
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.matching.statistics import count, discrepancy, flatten
from unscribed.units.segment import BOUNDARIES_SCHEMA, runs, segment_means

log = logging.getLogger(__name__)

# Balance of the two halves of a representation; found on speech of the demo's kind (docs/results.md).
FRAME_WEIGHT, POSTERIOR_WEIGHT, POSTERIOR_FLOOR = 0.5, 0.3, -8.0


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
    loss: Pathlike,
) -> None:
    """Decode train; write the runs of one phone as segments: boundaries, representations, labels.

    A representation is the mean frame beside the mean log posteriors, (S, D + V). `loss` gets the L1 distance between
    the statistics of the decoded phones and of the text: the same quantity after every round, by which rounds and
    seeds are chosen.
    """
    store, acoustic = FrameStore(frames), AcousticModel.read(model)
    grammar = Grammar.read(arpa, acoustic.phones, decode)
    all_edges, all_phones = [], []
    with FrameWriter(segments) as writer, FrameWriter(labels, {"phones": acoustic.phones}, "int32") as label_writer:
        for first, last, log_posteriors, path in decode_utterances(acoustic, store, grammar, decode, threads):
            for number in range(first, last):
                start, end = store.offsets[number : number + 2] - store.offsets[first]
                edges = runs(path[start:end])
                found = path[start:end][edges[:-1]].astype(np.int64)
                writer.append(store.utterances[number], represent(store[number], log_posteriors[start:end], edges))
                label_writer.append(store.utterances[number], found[:, None])
                all_edges.append(edges)
                all_phones.append(found)
        write_table(boundaries, {"utterance": store.utterances, "boundaries_frames": all_edges}, BOUNDARIES_SCHEMA)
    text, _ = read_text(phones_text, acoustic.phones, match)
    decoded = count(*flatten(all_phones), len(acoustic.phones), match.skips, match.positions)
    value = discrepancy(decoded, text)
    log.info("%d segments; statistics %.3f from the text's", sum(map(len, all_phones)), value)
    write_json(loss, {"loss": value})


def represent(frames: np.ndarray, log_posteriors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Weighted means of frames (T, D) beside those of log posteriors (T, V) in the segments of `edges`, (S, D + V)."""
    evidence = np.maximum(log_posteriors, POSTERIOR_FLOOR)
    means = [FRAME_WEIGHT * segment_means(frames, edges), POSTERIOR_WEIGHT * segment_means(evidence, edges)]
    return np.concatenate(means, axis=1)
