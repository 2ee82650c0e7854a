"""Phone boundaries: one-to-one matching within a tolerance, precision, recall, F1 and R-value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROUNDING_SECONDS = 1e-9  # added to the tolerance: rounding must not reject a distance equal to it


@dataclass(frozen=True)
class BoundaryCounts:
    """Number of boundaries over any number of utterances: matched, in the references, in the hypotheses."""

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
