"""The runs of the GAN: seeds times settings. Every Snakemake process reads this, so it imports nothing heavy."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GRID = ("start", "gradient_penalty", "smoothness", "diversity")  # keys of the section `gan` that list values to try


@dataclass(frozen=True)
class Run:
    """One run: what may differ within a job."""

    seed: int
    start: str
    gradient_penalty: float
    smoothness: float
    diversity: float


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


def all_runs(section: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every seed with every setting; seed after seed, so that another seed leaves the others as they are."""
    settings = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*(section[key] for key in GRID))]
    return [{"seed": seed, **setting} for seed in section["seeds"] for setting in settings]


def shared_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of GanSettings: without the grid and its distribution, so that more runs do not change the others."""
    return {name: section[name] for name in GanSettings.__dataclass_fields__}


def run_label(run: Mapping[str, Any]) -> str:
    """A short name for logs, tables and figures."""
    return "{start} gp{gradient_penalty:g} sm{smoothness:g} div{diversity:g} seed{seed}".format(**run)
