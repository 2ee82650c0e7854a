"""Speakers, where folders tell them, and the mean and deviation of their frames (CMVN, as Kaldi's apply-cmvn).

Dimensions: T frames, D features.
"""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.tables import ManifestTable

SMALLEST_DEVIATION = 1e-3  # of a feature that hardly varies, in digital silence for example


def speakers_of(manifest: Pathlike, utterances: Sequence[str], level: int) -> list[str]:
    """Return the folder that is each utterance's speaker, `level` above its recording; none if only one speaks."""
    if not level:
        return []
    paths = ManifestTable.by_utterance(manifest, utterances)["path"]
    speakers = [str(PurePath(path).parents[level - 1]) for path in paths]
    return speakers if len(set(speakers)) > 1 else []


class SpeakerStatistics:
    """Mean and deviation of each feature over the frames of one speaker, added one utterance after the other."""

    def __init__(self) -> None:
        self.count = 0
        self.sums = self.squares = np.zeros(1)  # as many as there are features, once there are frames

    def add(self, frames: np.ndarray) -> None:
        """Add frames (T, D)."""
        values = frames.astype(np.float64)
        self.count += len(frames)
        self.sums = self.sums + values.sum(axis=0)
        self.squares = self.squares + (values**2).sum(axis=0)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Return frames (T, D), float32, with the speaker's mean at 0 and deviation 1."""
        mean = self.sums / self.count
        deviation = np.sqrt(np.maximum(self.squares / self.count - mean**2, SMALLEST_DEVIATION**2))
        return ((frames - mean) / deviation).astype(np.float32)
