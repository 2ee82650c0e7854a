"""Phone boundaries: times, one-to-one matching within a tolerance, precision, recall, F1 and R-value.

Frames are those of the speech-only audio (the regions that the VAD kept, joined); references speak of the original
file. Boundary b of a frame sequence lies at b times the hop.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROUNDING_SECONDS = 1e-9  # so that a distance of exactly the tolerance counts, whatever floating point makes of it


@dataclass(frozen=True)
class BoundaryCounts:
    """Boundaries over any number of utterances: matched ones, all of the reference, all of the hypothesis."""

    hits: int
    references: int
    hypotheses: int

    def __add__(self, other: "BoundaryCounts") -> "BoundaryCounts":
        return BoundaryCounts(
            self.hits + other.hits, self.references + other.references, self.hypotheses + other.hypotheses
        )

    @property
    def precision(self) -> float:
        return self.hits / self.hypotheses if self.hypotheses else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.references if self.references else 0.0

    @property
    def f1(self) -> float:
        both = self.references + self.hypotheses
        return 2 * self.hits / both if both else 0.0

    @property
    def r_value(self) -> float:
        """R-value: 1 is perfect, and unlike F1 it cannot be raised by putting boundaries everywhere.

        Räsänen, Laine and Altosaar, "An improved speech segmentation quality measure: the R-value", Interspeech 2009.
        NaN without reference boundaries.
        """
        if not self.references:
            return float("nan")
        over = self.hypotheses / self.references - 1
        to_ideal = np.hypot(1 - self.recall, over)
        to_line = abs(self.recall - 1 - over) / np.sqrt(2)
        return float(1 - (to_ideal + to_line) / 2)


def match_boundaries(references: Sequence[float], hypotheses: Sequence[float], tolerance: float) -> BoundaryCounts:
    """Match the boundaries of one utterance (seconds, both ascending) one to one.

    In time order, each hypothesis takes the nearest reference boundary that is still free and at most `tolerance` away.
    """
    free = np.asarray(references, dtype=np.float64)
    total, hits = len(free), 0
    for time in np.asarray(hypotheses, dtype=np.float64):
        if not len(free):
            break
        nearest = int(np.argmin(np.abs(free - time)))
        if abs(free[nearest] - time) <= tolerance + ROUNDING_SECONDS:
            hits += 1
            free = np.delete(free, nearest)
    return BoundaryCounts(hits, total, len(hypotheses))


def to_original_seconds(
    frames: Sequence[int],
    hop_ms: float,
    starts_samples: Sequence[int],
    ends_samples: Sequence[int],
    sample_rate_hz: int,
) -> np.ndarray:
    """Times in the original audio (seconds) of boundaries given in frames of the speech-only audio.

    The regions [start, end) are those of the VAD table, in samples. A boundary that falls on a joint belongs to the
    region that begins there; one past the last region is put at its end. Raises ValueError if there is no region.
    """
    starts, joints = _regions(starts_samples, ends_samples)
    samples = np.minimum(np.asarray(frames, dtype=np.float64) * hop_ms / 1000 * sample_rate_hz, joints[-1])
    # half a sample of slack: a boundary computed a rounding error before a joint lies on the joint
    region = np.clip(np.searchsorted(joints, samples + 0.5, side="right") - 1, 0, len(starts) - 1)
    return (starts[region] + samples - joints[region]) / sample_rate_hz


def to_speech_seconds(
    seconds: Sequence[float], starts_samples: Sequence[int], ends_samples: Sequence[int], sample_rate_hz: int
) -> np.ndarray:
    """The other direction: times in the original audio to times in the speech-only audio.

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
