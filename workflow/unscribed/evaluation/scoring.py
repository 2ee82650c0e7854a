"""Read references; score decoded phones and boundaries against them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.audio.times import TimeBase
from unscribed.errors import UserError
from unscribed.evaluation import per
from unscribed.evaluation.boundaries import BoundaryCounts, match_boundaries
from unscribed.references import read_references
from unscribed.tables import BoundaryTable, ManifestTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class References:
    """Reference phones by utterance, with `<SIL>`; where known, their boundaries in seconds of the original audio."""

    phones: dict[str, list[str]]
    boundaries: dict[str, np.ndarray]


def known_references(path: Pathlike, manifest_path: Pathlike) -> tuple[pd.DataFrame, int]:
    """Read the references of the utterances in the manifest; returns them and the manifest's number of utterances.

    Raises UserError if no reference belongs to any utterance.
    """
    table, accepted = read_references(path), set(ManifestTable.read(manifest_path)["utterance"])
    known = table[table["utterance"].isin(accepted)]
    if len(table) and not len(known):
        raise UserError(
            f"{path}: none of its {len(table)} utterances is in {manifest_path}. "
            "Check that the transcripts name the same files as the audio, or leave them out."
        )
    return known, len(accepted)


def scored_references(path: Pathlike, manifest_path: Pathlike) -> References:
    """Read the reference phones and boundaries of the utterances in the manifest; no others were decoded.

    Utterances without reference phones are left out with a warning. Raises UserError if no reference
    belongs to any utterance.
    """
    known, accepted = known_references(path, manifest_path)
    phones: dict[str, list[str]] = {}
    boundaries: dict[str, np.ndarray] = {}
    for row in known.itertuples():
        if not len(row.phones):
            continue
        phones[row.utterance] = list(row.phones)
        if len(row.starts_seconds) == len(row.phones):
            spoken = np.array([phone != SILENCE for phone in row.phones])
            boundaries[row.utterance] = np.asarray(row.starts_seconds)[spoken][1:]
    if len(phones) < accepted:
        log.warning(
            "%d of %d utterances have no reference phones (%s) and are not scored",
            accepted - len(phones),
            accepted,
            path,
        )
    return References(phones, boundaries)


def decoded_phones(decoded: pd.DataFrame) -> dict[str, list[str]]:
    """Map each utterance of a decode to its phones."""
    return {row.utterance: list(row.phones) for row in decoded.itertuples()}


def phone_rate(references: References, decoded: pd.DataFrame, kept: per.Kept = per.kept_hypothesis) -> float:
    """Compute the phone error rate of a decode; `kept` gives the positions of the phones that count."""
    return per.phone_error_rate(references.phones, decoded_phones(decoded), kept)


def align_decoded(
    references: References, decoded: pd.DataFrame, kept: per.Kept = per.kept_hypothesis
) -> dict[str, per.Alignment]:
    """Align every reference with its decode; an utterance not decoded has no phones (a warning counts these)."""
    hypotheses = decoded_phones(decoded)
    missing = references.phones.keys() - hypotheses.keys()
    if missing:
        log.warning("%d utterances were not decoded: all their phones count as deleted", len(missing))
    return {
        utterance: per.align(per.clean_reference(reference), per.clean_hypothesis(hypotheses.get(utterance, []), kept))
        for utterance, reference in references.phones.items()
    }


def segment_boundaries(path: Pathlike) -> dict[str, np.ndarray]:
    """Read the inner boundaries (frames) of a segmentation: all but 0 and the end of the utterance."""
    table = BoundaryTable.read(path)
    return {row.utterance: row.boundaries_frames[1:-1] for row in table.itertuples()}


def decoded_boundaries(decoded: pd.DataFrame, kept: per.Kept = per.kept_hypothesis) -> dict[str, np.ndarray]:
    """Compute the boundaries (frames) of a decode as for references: starts of all phones but the first.

    `kept` gives the positions of the phones that count.
    """
    return {row.utterance: row.starts_frames[kept(row.phones)][1:] for row in decoded.itertuples()}


def score_boundaries(
    references: Mapping[str, np.ndarray], frames: Mapping[str, np.ndarray], times: TimeBase, tolerance_seconds: float
) -> BoundaryCounts:
    """Match boundaries, `references` in seconds and hypotheses in `frames`, over all utterances of `references`.

    An utterance without a hypothesis has no boundaries.
    """
    counts = BoundaryCounts(0, 0, 0)
    for utterance, reference in references.items():
        hypothesis = times.seconds(utterance, frames.get(utterance, np.zeros(0, dtype=np.int64)))
        counts += match_boundaries(reference, hypothesis, tolerance_seconds)
    return counts
