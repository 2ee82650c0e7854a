"""The runs of the GAN: seeds times settings. Every Snakemake process reads this, so it imports nothing heavy."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.gan.penalties import PENALTIES

Run = dict[str, Any]  # what may differ within a job: the seed and a value for each key of GRID

GRID = ("start", *(name for name, penalty in PENALTIES.items() if penalty.short))  # these keys list values to try

MOMENTS = ("start", "best", "last")  # of a run: its start, its best check by the label-free score, its end


@dataclass(frozen=True)
class GanSettings:
    """Section `gan` of the configuration without the lists of the grid: what all runs have in common."""

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
    """Every seed with every setting; seed after seed, so that another seed leaves the others as they are."""
    settings = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*(section[key] for key in GRID))]
    return [{"seed": seed, **setting} for seed in section["seeds"] for setting in settings]


def run_label(run: Run) -> str:
    """A short name for logs, tables and figures."""
    weights = [f"{penalty.short}{run[name]:g}" for name, penalty in PENALTIES.items() if penalty.short]
    return f"{run['start']} {' '.join(weights)} seed{run['seed']}"
