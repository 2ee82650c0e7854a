"""The frequency warp of each speaker, where speakers are known: one warp for all suits few of many people."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.tables import ManifestTable
from unscribed.teacher.adapt import mean_sureness
from unscribed.teacher.network import Teacher

log = logging.getLogger(__name__)

# Seconds of a speaker: with fewer the corpus's warp is the safer choice; more hardly change the sureness.
FEWEST_SECONDS, MOST_SECONDS = 30.0, 60.0


def speakers_of(manifest: Pathlike, utterances: Sequence[str], level: int) -> list[str]:
    """Return the folder that is each utterance's speaker, `level` above its recording; none if only one speaks."""
    if not level:
        return []
    paths = ManifestTable.by_utterance(manifest, utterances)["path"]
    speakers = [str(PurePath(path).parents[level - 1]) for path in paths]
    return speakers if len(set(speakers)) > 1 else []


def speaker_warps(
    teacher: Teacher, store: FrameStore, speakers: Sequence[str], warps: Sequence[float]
) -> Mapping[str, float]:
    """Choose the warp with which the adapted teacher is surest of each of the `speakers` of the store's utterances.

    A speaker with too little audio is left out.
    """
    seconds = store.lengths * store.metadata["hop_ms"] / 1000
    chosen = {}
    for speaker in sorted(set(speakers)):
        numbers = np.flatnonzero([name == speaker for name in speakers])
        if seconds[numbers].sum() < FEWEST_SECONDS:
            continue
        enough = int(np.searchsorted(seconds[numbers].cumsum(), MOST_SECONDS)) + 1
        sureness = [mean_sureness(replace(teacher, warp=warp), store, numbers[:enough].tolist()) for warp in warps]
        chosen[speaker] = warps[int(np.argmax(sureness))]
        log.info("%s: warp %.2f, sureness %.3f", speaker, chosen[speaker], max(sureness))
    if speakers:
        log.info("warps of %d of %d speakers were chosen", len(chosen), len(set(speakers)))
    return chosen
