"""Settings of the matching and statistics of the phone text, importable without torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.matching.statistics import Statistics, count, flatten


@dataclass(frozen=True)
class MatchSettings:
    """Section `match` of the configuration, without `seeds` and `rounds`: each of these is a job of its own."""

    clusters: list[int]
    restarts: int
    steps: int
    warm_restarts: int
    warm_steps: int
    learning_rate: float
    skips: int
    positions: int
    segments_per_phone: float | None


def read_text(phones_text: Pathlike, inventory: list[str], settings: MatchSettings) -> tuple[Statistics, float]:
    """Count the statistics of the phone text; returns them and the mean number of phones per sentence."""
    index = {phone: number for number, phone in enumerate(inventory)}
    lines = Path(phones_text).read_text(encoding="utf-8").splitlines()
    symbols, offsets = flatten([np.array([index[phone] for phone in line.split()], dtype=np.int64) for line in lines])
    statistics = count(symbols, offsets, len(inventory), settings.skips, settings.positions)
    return statistics, float(np.diff(offsets).mean())
