"""Stage hmm_segments: the phones that an HMM decoded as segments, for another round of matching.

Dimensions: T frames, D features, S segments, V phones.
"""

import logging

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.model import HmmModel
from unscribed.segmentation.represent import represent
from unscribed.tables import BoundaryTable, PhoneTable

log = logging.getLogger(__name__)


def hmm_segments(
    *,
    frames: Pathlike,
    features: Pathlike,
    model: Pathlike,
    decoded: Pathlike,
    boundaries: Pathlike,
    segments: Pathlike,
    labels: Pathlike,
) -> None:
    """Write boundaries, representations and labels as the stage resegment does, from the phones `decoded`.

    A representation is the mean of the PCA store `frames` followed by the mean log posteriors of the phones under the
    HMM on `features`, (S, D + V). An utterance without a path is one segment of silence.
    """
    store, evidence, acoustic = FrameStore(frames), FrameStore(features), HmmModel.read(model)
    inventory = {phone: number for number, phone in enumerate(acoustic.topology.phones)}
    table = PhoneTable.by_utterance(decoded, store.utterances)
    edges_of = []
    with (
        FrameWriter(segments) as writer,
        FrameWriter(labels, {"phones": acoustic.topology.phones}, "int32") as label_writer,
    ):
        for number, row in enumerate(table.itertuples()):
            edges = np.append(row.starts_frames, row.frames) if len(row.phones) else np.array([0, row.frames])
            found = np.array([inventory[phone] for phone in row.phones] or [0])
            writer.append(row.Index, represent(store[number], log_posteriors(acoustic, evidence, number), edges))
            label_writer.append(row.Index, found[:, None])
            edges_of.append(edges)
    BoundaryTable(utterance=store.utterances, boundaries_frames=edges_of).write(boundaries)
    log.info("%d segments", sum(len(edges) - 1 for edges in edges_of))


def log_posteriors(model: HmmModel, store: FrameStore, number: int) -> np.ndarray:
    """Compute log P(phone | frame) of an utterance by the best state of each phone and a flat prior, (T, V) float32."""
    states = model.mixtures.log_likelihoods(model.front_end(store, number, number + 1))
    phones = np.maximum.reduceat(states, model.topology.first_pdf[:-1], axis=1)
    phones = phones - phones.max(axis=1, keepdims=True)
    return phones - np.log(np.exp(phones).sum(axis=1, keepdims=True))
