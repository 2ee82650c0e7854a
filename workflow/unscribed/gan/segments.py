"""Stage gan_segments: the phones that the matching decoded, as segments.

They are cut where phones are likely to change, not only the spectrum; which phones they were is not passed on.
Dimensions: T frames, D features, S segments.
"""

import logging

import numpy as np

from unscribed.artifacts import FrameStore, FrameWriter, Pathlike, read_table, write_table
from unscribed.errors import UserError
from unscribed.units.segment import BOUNDARIES_SCHEMA, segment_means

log = logging.getLogger(__name__)


def gan_segments(*, frames: Pathlike, decoded: Pathlike, segments: Pathlike, boundaries: Pathlike) -> None:
    """Write the mean frame of every decoded phone, (S, D), and the segments' boundaries in frames.

    `frames` is the PCA store of a split, `decoded` the matching's phones of it. Raises UserError if they belong to
    different audio.
    """
    store = FrameStore(frames)
    table = read_table(decoded).set_index("utterance")
    edges = []
    with FrameWriter(segments, store.metadata) as writer:
        for number, utterance in enumerate(store.utterances):
            length = int(store.offsets[number + 1] - store.offsets[number])
            if utterance not in table.index or table.loc[utterance, "frames"] != length:
                raise UserError(
                    f"{decoded} does not have the {length} frames of utterance {utterance} in {store.path}: they "
                    "come from different audio. Run the stage decode again."
                )
            edges.append(np.append(table.loc[utterance, "starts_frames"], length))
            writer.append(utterance, segment_means(store[number], edges[-1]))
    write_table(boundaries, {"utterance": store.utterances, "boundaries_frames": edges}, BOUNDARIES_SCHEMA)
    log.info("%d segments", sum(map(len, edges)) - len(edges))
