"""Everything of the evaluation that needs transcripts: references, scores of decodes, scores of boundaries."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike, read_table
from unscribed.errors import UserError
from unscribed.evaluation.boundaries import BoundaryCounts, match_boundaries, to_original_seconds
from unscribed.evaluation.per import SILENCE, kept_hypothesis

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class References:
    """Reference phones by utterance (uncleaned), and where known the boundaries in seconds of the original audio."""

    phones: dict[str, list[str]]
    boundaries: dict[str, np.ndarray]


@dataclass(frozen=True)
class TimeBase:
    """What turns frames of the speech-only audio into seconds of the original: the VAD table by utterance."""

    regions: pd.DataFrame
    hop_ms: float
    sample_rate_hz: int

    def seconds(self, utterance: str, frames: Sequence[int]) -> np.ndarray:
        """Times of the boundaries before these frames."""
        if not len(frames):
            return np.zeros(0)
        row = self.regions.loc[utterance]
        return to_original_seconds(frames, self.hop_ms, row.starts_samples, row.ends_samples, self.sample_rate_hz)


def read_references(path: Pathlike, manifest_path: Pathlike) -> References:
    """Read the references of the utterances in the manifest; files rejected there were never decoded.

    Utterances of which only the words are known are left out with a warning. Raises UserError if no reference
    belongs to any utterance.
    """
    table, accepted = read_table(path), set(read_table(manifest_path)["utterance"])
    known = table[table["utterance"].isin(accepted)]
    if len(table) and not len(known):
        raise UserError(
            f"{path}: none of its {len(table)} utterances is in {manifest_path}. "
            "Check that the transcripts name the same files as the audio, or leave them out."
        )
    phones: dict[str, list[str]] = {}
    boundaries: dict[str, np.ndarray] = {}
    for row in known.itertuples():
        if not len(row.phones):
            continue
        phones[row.utterance] = list(row.phones)
        if len(row.starts_seconds) == len(row.phones):
            spoken = np.array([phone != SILENCE for phone in row.phones])
            boundaries[row.utterance] = np.asarray(row.starts_seconds)[spoken][1:]
    if len(phones) < len(accepted):
        logger.warning(
            "%d of %d utterances have no reference phones (%s) and are not scored",
            len(accepted) - len(phones),
            len(accepted),
            path,
        )
    return References(phones, boundaries)


def segment_boundaries(path: Pathlike) -> dict[str, np.ndarray]:
    """Inner boundaries (frames) of the segmentation: all but 0 and the end of the utterance."""
    table = read_table(path)
    return {row.utterance: row.boundaries_frames[1:-1] for row in table.itertuples()}


def decoded_boundaries(decoded: pd.DataFrame) -> dict[str, np.ndarray]:
    """Boundaries (frames) of a decode, by the rule of the references: starts of all phones but the first."""
    return {row.utterance: row.starts_frames[kept_hypothesis(row.phones)][1:] for row in decoded.itertuples()}


def score_boundaries(
    references: Mapping[str, np.ndarray], frames: Mapping[str, np.ndarray], times: TimeBase, tolerance_seconds: float
) -> BoundaryCounts:
    """Match boundaries over all utterances whose reference times are known; a missing hypothesis has no boundaries."""
    counts = BoundaryCounts(0, 0, 0)
    for utterance, reference in references.items():
        hypothesis = times.seconds(utterance, frames.get(utterance, np.zeros(0, dtype=np.int64)))
        counts += match_boundaries(reference, hypothesis, tolerance_seconds)
    return counts
