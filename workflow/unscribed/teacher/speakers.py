"""The teacher fitted to each speaker, where speakers are known: one warp for all suits few of many people."""

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from unscribed.frames import FrameStore
from unscribed.teacher.adapt import fit_statistics, mean_sureness
from unscribed.teacher.network import Teacher

log = logging.getLogger(__name__)

# Seconds of a speaker: with fewer the corpus's own are the safer choice; more hardly change the sureness.
FEWEST_SECONDS, MOST_SECONDS = 30.0, 60.0


def speaker_teachers(
    teacher: Teacher, store: FrameStore, speakers: Sequence[str], warps: Sequence[float]
) -> Mapping[str, Teacher]:
    """Adapt the adapted teacher to each of the `speakers` of the store's utterances.

    The warp is the one with which it is surest of the speaker, the statistics of the batch norms are then the
    speaker's own. A speaker with too little audio is left out.
    """
    seconds = store.lengths * store.metadata["hop_ms"] / 1000
    found = {}
    for speaker in sorted(set(speakers)):
        numbers = np.flatnonzero([name == speaker for name in speakers])
        if seconds[numbers].sum() < FEWEST_SECONDS:
            continue
        enough = numbers[: int(np.searchsorted(seconds[numbers].cumsum(), MOST_SECONDS)) + 1].tolist()
        warped = [teacher] if teacher.states else [replace(teacher, warp=warp) for warp in warps]
        sureness = [mean_sureness(one, store, enough) for one in warped]
        chosen = warped[int(np.argmax(sureness))]
        found[speaker] = replace(chosen, network=deepcopy(teacher.network))
        fit_statistics(found[speaker], store, enough)
        log.info("%s: warp %.2f, sureness %.3f", speaker, chosen.warp, max(sureness))
    if speakers:
        log.info("the teacher was adapted to %d of %d speakers", len(found), len(set(speakers)))
    return found
