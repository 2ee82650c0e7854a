"""Convert times between the speech-only audio and the original file.

Frames are those of the speech-only audio (the regions that the VAD kept, joined); references and outputs have times in
the original file. Boundary b of a sequence of frames lies at b times the hop.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

JOINT_SLACK_SAMPLES = 0.5  # boundaries this close to a joint of two regions lie on it: computed times are rounded


@dataclass(frozen=True)
class TimeBase:
    """Converter of frames to seconds of the original audio; `regions` is the VAD table by utterance."""

    regions: pd.DataFrame
    hop_ms: float
    sample_rate_hz: int

    def seconds(self, utterance: str, frames: Sequence[int], ends: bool = False) -> np.ndarray:
        """Return the times of the boundaries before these frames; see `to_original_seconds`."""
        if not len(frames):
            return np.zeros(0)
        row = self.regions.loc[utterance]
        return to_original_seconds(frames, self.hop_ms, row.starts_samples, row.ends_samples, self.sample_rate_hz, ends)

    def frames(self, utterance: str, seconds: Sequence[float]) -> np.ndarray:
        """Return where these times lie in the speech-only audio, in frames that are not whole numbers; NaN stays."""
        row = self.regions.loc[utterance]
        speech = to_speech_seconds(seconds, row.starts_samples, row.ends_samples, self.sample_rate_hz)
        return speech * 1000 / self.hop_ms


def to_original_seconds(
    frames: Sequence[int],
    hop_ms: float,
    starts_samples: Sequence[int],
    ends_samples: Sequence[int],
    sample_rate_hz: int,
    ends: bool = False,
) -> np.ndarray:
    """Convert boundaries in frames of the speech-only audio to seconds of the original audio.

    The regions [start, end) are those of the VAD table, in samples. A boundary that falls on a joint belongs to the
    region that begins there, or with `ends`, for the ends of segments, to the region that ends there; one after the
    last region is moved to its end. Raises ValueError if there is no region.
    """
    starts, joints = _regions(starts_samples, ends_samples)
    samples = np.minimum(np.asarray(frames, dtype=np.float64) * hop_ms / 1000 * sample_rate_hz, joints[-1])
    place = samples + (-JOINT_SLACK_SAMPLES if ends else JOINT_SLACK_SAMPLES)
    region = np.clip(np.searchsorted(joints, place, side="right") - 1, 0, len(starts) - 1)
    return (starts[region] + samples - joints[region]) / sample_rate_hz


def to_speech_seconds(
    seconds: Sequence[float], starts_samples: Sequence[int], ends_samples: Sequence[int], sample_rate_hz: int
) -> np.ndarray:
    """Convert times in the original audio to times in the speech-only audio, both in seconds.

    A time in removed silence becomes the joint there. Raises ValueError if there is no region.
    """
    starts, joints = _regions(starts_samples, ends_samples)
    samples = np.asarray(seconds, dtype=np.float64) * sample_rate_hz
    region = np.clip(np.searchsorted(starts, samples, side="right") - 1, 0, len(starts) - 1)
    inside = np.clip(samples - starts[region], 0, np.diff(joints)[region])
    return (joints[region] + inside) / sample_rate_hz


def _regions(starts_samples: Sequence[int], ends_samples: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Starts of the regions, and their joints in the speech-only audio: 0, …, total length (all in samples)."""
    starts, ends = np.asarray(starts_samples, dtype=np.int64), np.asarray(ends_samples, dtype=np.int64)
    if not len(starts):
        raise ValueError("no speech regions to place boundaries in")
    return starts, np.concatenate([[0], np.cumsum(ends - starts)])
