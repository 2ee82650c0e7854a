"""Stage gan_segments: one segment for each phone that the matching or the teacher decoded.

Such segments end where the phone is likely to change, not only the spectrum. The decoded phones are not passed on.
Dimensions: T frames, D features, S segments.
"""

import logging

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.segmentation.segment import segment_means
from unscribed.tables import BoundaryTable, PhoneTable

log = logging.getLogger(__name__)


def gan_segments(*, frames: Pathlike, decoded: Pathlike, segments: Pathlike, boundaries: Pathlike) -> None:
    """Write the mean frame of every decoded phone, (S, D), and the segments' boundaries in frames.

    `frames` is the PCA store of a split, `decoded` phones of it. Raises UserError if they belong to
    different audio.
    """
    store = FrameStore(frames)
    table = PhoneTable.by_utterance(decoded)
    edges = []
    with FrameWriter(segments, store.metadata) as writer:
        for number, utterance in enumerate(store.utterances):
            length = int(store.lengths[number])
            if utterance not in table.index or table.loc[utterance, "frames"] != length:
                raise UserError(
                    f"{decoded} does not have the {length} frames of utterance {utterance} in {store.path}: they "
                    "come from different audio. Run the stage decode again."
                )
            edges.append(np.append(table.loc[utterance, "starts_frames"], length))
            writer.append(utterance, segment_means(store[number], edges[-1]))
    BoundaryTable(utterance=store.utterances, boundaries_frames=edges).write(boundaries)
    log.info("%d segments", sum(map(len, edges)) - len(edges))
