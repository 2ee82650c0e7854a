"""`unscribed tensorboard`: the curves of all trainings of a corpus as TensorBoard's event files."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unscribed.errors import UserError

CURVES = "curves.parquet"  # in the folder of each training: pretraining, teacher, GAN, fine-tuning
STEP, TIME, RUN = "update", "seconds", ("run", "label")  # columns that are no curves


def write_events(results: Path, folder: Path) -> list[str]:
    """Write the event files of the trainings under `results` into the new `folder`; return their names.

    A training is named by its folder; one of several runs, as of the GAN, has one name for each. Numbers that are
    unknown are left out. Raises UserError if there are no curves, or if there is something at `folder`.
    """
    from torch.utils.tensorboard import SummaryWriter  # takes seconds to load

    found = sorted(results.rglob(CURVES))
    if not found:
        raise UserError(
            f"{results} has no {CURVES}: no training with curves was run (stages teacher, gan, pretrain, finetune), or "
            "this is no folder of results."
        )
    if folder.exists():
        raise UserError(f"{folder} exists already: TensorBoard would show both. Name a new folder, or remove it.")
    names = []
    for path in found:
        for name, table in _runs(path.parent.relative_to(results).as_posix(), pd.read_parquet(path)):
            with SummaryWriter(str(folder / name)) as writer:
                for curve, step, value, seconds in _points(table):
                    writer.add_scalar(curve, value, step, walltime=seconds)
            names.append(name)
    return names


def _runs(name: str, table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each run of a training."""
    columns = [column for column in RUN if column in table]
    if not columns:
        yield name, table
        return
    for key, rows in table.groupby(columns, sort=False):
        yield f"{name}/{'-'.join(str(part) for part in key)}".replace(" ", "_"), rows


def _points(table: pd.DataFrame) -> Iterator[tuple[str, int, float, float]]:
    """Curve, update, value and seconds of every number; the numbers of a list are curves of their own."""
    for row in table.to_dict("records"):
        for column, value in row.items():
            if column in (STEP, TIME, *RUN):
                continue
            for curve, number in _numbers(column, value):
                yield curve, int(row[STEP]), number, float(row.get(TIME) or 0.0)


def _numbers(column: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, np.ndarray):  # a list in a table
        for place, part in enumerate(value):
            yield from _numbers(f"{column}.{place + 1}", part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        yield column, float(value)
