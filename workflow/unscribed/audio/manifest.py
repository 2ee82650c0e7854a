"""Stage manifest: check every recording of a split by decoding it, and list the good ones.

Dimensions: T samples, C channels.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.audio import io
from unscribed.errors import UserError
from unscribed.parallel import log_speed, ordered_map
from unscribed.tables import ManifestTable, RecordingTable, RejectedTable

log = logging.getLogger(__name__)

SILENT_PEAK = 1e-4  # -80 dB of full scale: below the noise of any microphone
CLIPPED_LEVEL = 0.999  # of full scale
CLIPPED_RUN = 3  # a lone full-scale sample is a normal peak; clipping shows as a plateau
MIN_UTTERANCES = {"train": 2}  # usable ones; a split that is not named here needs 1
MAX_SHOWN = 10  # bad files in an error message; the log has them all


@dataclass(frozen=True)
class AudioSettings:
    """Section `audio` of the configuration."""

    sample_rate_hz: int
    min_seconds: float
    max_seconds: float
    max_clipped_fraction: float
    on_error: str


@dataclass(frozen=True)
class Recording:
    """One checked file: a row of the manifest, or of the rejected table if `reason` is not empty."""

    utterance: str
    path: str
    sample_rate_hz: int = 0
    channels: int = 0
    duration_samples: int = 0
    duration_seconds: float = 0.0
    clipped_fraction: float = 0.0
    reason: str = ""


def manifest(
    *,
    recordings: Pathlike,
    split: str,
    settings: AudioSettings,
    manifest: Pathlike,
    rejected: Pathlike,
    threads: int,
) -> None:
    """Decode every recording of `split` and write the manifest and the table of rejected files.

    Raises UserError if the split has too few utterances, if an utterance is listed twice, and, with
    `on_error: stop`, if any file is bad; then neither table is written.
    """
    if settings.min_seconds > settings.max_seconds:
        raise UserError(
            f"audio.min_seconds ({settings.min_seconds:g}) is above audio.max_seconds ({settings.max_seconds:g}): "
            "set the lower one below the upper one."
        )
    items = _listed(recordings, split)
    started = time.monotonic()
    checked = list(ordered_map(lambda item: check(*item, settings), items, threads, f"manifest {split}"))
    good = [recording for recording in checked if not recording.reason]
    bad = [recording for recording in checked if recording.reason]
    _report(split, good, bad, settings)
    _require(split, len(good), f"{len(items)} listed, {len(bad)} rejected", _listing(bad))
    RejectedTable.from_records([vars(recording) for recording in bad]).write(rejected)
    ManifestTable.from_records([vars(recording) for recording in good]).write(manifest)
    log_speed(log, len(checked), sum(recording.duration_seconds for recording in checked), started)


def check(utterance: str, path: str, settings: AudioSettings) -> Recording:
    """Decode one file and measure it; `reason` says what is wrong with it, or is empty."""
    recording = Recording(utterance, path)
    try:
        samples, rate = io.decode(path)
    except UserError as error:
        return dataclasses.replace(recording, reason=str(error).removeprefix(f"{path} "))
    length, channels = samples.shape
    recording = dataclasses.replace(
        recording,
        sample_rate_hz=rate,
        channels=channels,
        duration_samples=length,
        duration_seconds=length / rate,
        clipped_fraction=clipped_fraction(samples),
    )
    return dataclasses.replace(recording, reason=_fault(recording, samples, settings))


def clipped_fraction(samples: np.ndarray) -> float:
    """Return the share of `samples` (T, C) in runs of at least CLIPPED_RUN at full scale."""
    loud = np.abs(samples) >= CLIPPED_LEVEL
    if len(samples) < CLIPPED_RUN or not loud.any():
        return 0.0
    inner = loud[2:] & loud[1:-1] & loud[:-2]  # starts of runs of CLIPPED_RUN
    runs = np.zeros_like(loud)
    for shift in range(CLIPPED_RUN):
        runs[shift : shift + len(inner)] |= inner
    return float(runs.mean())


def _fault(recording: Recording, samples: np.ndarray, settings: AudioSettings) -> str:
    """Return what makes the file unusable, as a message without its path, or an empty string."""
    seconds, clipped = recording.duration_seconds, recording.clipped_fraction
    peak = float(np.max(np.abs(samples)))  # NaN or infinite if any sample is
    if not np.isfinite(peak):
        return "holds NaN or infinite samples"
    if peak < SILENT_PEAK:
        return f"is silent (peak {peak:.1e} of full scale)"
    if seconds < settings.min_seconds:
        return f"lasts {seconds:.2f} s, shorter than audio.min_seconds ({settings.min_seconds:g})"
    if seconds > settings.max_seconds:
        return f"lasts {seconds:.2f} s, longer than audio.max_seconds ({settings.max_seconds:g})"
    if clipped > settings.max_clipped_fraction:
        allowed = settings.max_clipped_fraction
        return f"is clipped: {clipped:.1%} of its samples, audio.max_clipped_fraction allows {allowed:.1%}"
    return ""


def _listed(recordings: Pathlike, split: str) -> list[tuple[str, str]]:
    """The (utterance, path) pairs of the split."""
    table = RecordingTable.read(recordings)
    table = table[table["split"] == split]
    _require(split, len(table), f"{recordings} lists {len(table)}", "")
    twice = table["utterance"][table["utterance"].duplicated()]
    if len(twice):
        raise UserError(
            f"{recordings} lists the utterance {twice.iloc[0]} of split {split} twice: "
            "give every recording its own name."
        )
    return list(zip(table["utterance"], table["path"], strict=True))


def _require(split: str, found: int, how: str, listing: str) -> None:
    needed = MIN_UTTERANCES.get(split, 1)
    if found < needed:
        some = "no good utterance" if not found else f"only {found} good utterance(s)"
        raise UserError(
            f"the split {split} has {some} ({how}), it needs at least {needed}: add recordings to the corpus, "
            "check the paths and split sizes under `corpus:`, or relax audio.min_seconds, audio.max_seconds and "
            f"audio.max_clipped_fraction.{listing}"
        )


def _report(split: str, good: Sequence[Recording], bad: Sequence[Recording], settings: AudioSettings) -> None:
    """Log the bad files and the low sampling rates; raise UserError for bad files unless they may be skipped."""
    for recording in bad:
        log.warning("bad file: %s %s", recording.path, recording.reason)
    if bad and settings.on_error == "stop":
        raise UserError(
            f"{len(bad)} of the {len(good) + len(bad)} files of split {split} cannot be used. Repair or remove them, "
            f"or leave them out with `audio: {{on_error: skip}}`.{_listing(bad)}"
        )
    if bad:
        log.warning("skipped %d of the %d files of split %s", len(bad), len(good) + len(bad), split)
    low = sum(recording.sample_rate_hz < settings.sample_rate_hz for recording in good)
    if low:
        log.warning(
            "%d files have a lower rate than audio.sample_rate_hz (%d): they are upsampled and lack its upper band",
            low,
            settings.sample_rate_hz,
        )


def _listing(bad: Sequence[Recording]) -> str:
    lines = [f"\n  {recording.path} {recording.reason}" for recording in bad[:MAX_SHOWN]]
    if len(bad) > MAX_SHOWN:
        lines.append(f"\n  … and {len(bad) - MAX_SHOWN} more (all are in the log)")
    return "".join(lines)
