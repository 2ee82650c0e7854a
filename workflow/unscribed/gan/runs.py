"""The runs of the GAN: every seed with every setting of the grid.

Every Snakemake process imports this module, so it imports nothing heavy.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.gan.penalties import PENALTIES

Run = dict[str, Any]  # what may differ between the runs of a job: the seed, and a value for each key of GRID

GRID = ("start", *(name for name, penalty in PENALTIES.items() if penalty.short))  # keys that list values to try

# Values of `start` whose runs first learn labels: the phones of the matching or of the teacher.
WARM_STARTS = ("match", "teacher")

# When a run's weights are kept: at its start, at its best check by the label-free score, and at its last check without
# divergence.
MOMENTS = ("start", "best", "last")


@dataclass(frozen=True)
class GanSettings:
    """Section `gan` of the configuration without the keys of the grid: the settings that all runs share."""

    kernel: int
    stride: int
    batch_norm: float
    residual: bool
    auxiliary: float
    discriminator_dims: int
    discriminator_kernel: int
    dropout: float
    batch_size: int
    updates: int
    discriminator_first: int
    generator_learning_rate: float
    discriminator_learning_rate: float
    check_every: int
    device: str
    average: float


def all_runs(section: Mapping[str, Any]) -> list[Run]:
    """List every seed with every setting, seed by seed, so that the runs keep their numbers if a seed is appended."""
    settings = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*(section[key] for key in GRID))]
    return [{"seed": seed, **setting} for seed in section["seeds"] for setting in settings]


def run_label(run: Run) -> str:
    """Name a run for logs, tables and figures."""
    weights = [f"{penalty.short}{run[name]:g}" for name, penalty in PENALTIES.items() if penalty.short]
    return f"{run['start']} {' '.join(weights)} seed{run['seed']}"
