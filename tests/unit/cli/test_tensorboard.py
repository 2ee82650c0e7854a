"""Event files are read back with TensorBoard's own reader."""

from pathlib import Path

import pytest
from helpers.tables import filled
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from unscribed.cli.tensorboard import write_events
from unscribed.errors import UserError
from unscribed.gan.curves import GanCurveTable
from unscribed.ssl.pretrain import write_curves
from unscribed.teacher.train import CurveTable


def points(folder: Path, curve: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, round(event.value, 3)) for event in events.Scalars(curve)]


def test_curves_of_trainings_and_of_their_runs(tmp_path: Path) -> None:
    results, folder = tmp_path / "results", tmp_path / "curves"
    CurveTable.from_rows([(500, 9.0, 2.0, 1.5, 0.6), (900, 18.0, 1.5, None, 0.8)]).write(
        results / "teacher/curves.parquet"
    )
    runs = filled(GanCurveTable, run=[0, 1, 0], label=["big", "small", "big"], update=[1, 1, 2], usage=[0.2, 0.3, 0.4])
    runs.write(results / "gan/job0/curves.parquet")
    check = dict.fromkeys(("contrastive", "valid_contrastive", "accuracy", "valid_accuracy"), 0.5)
    write_curves(results / "pretrain/curves.parquet", [{"update": 7, "valid_perplexities": [8.0, 6.0]} | check])
    assert sorted(write_events(results, folder)) == ["gan/job0/0-big", "gan/job0/1-small", "pretrain", "teacher"]
    assert points(folder / "teacher", "loss") == [(500, 2.0), (900, 1.5)]
    assert points(folder / "teacher", "heldout_loss") == [(500, 1.5)]  # an unknown number is left out
    assert points(folder / "gan/job0/0-big", "usage") == [(1, 0.2), (2, 0.4)]
    assert points(folder / "pretrain", "valid_perplexities.2") == [(7, 6.0)]


def test_neither_an_old_folder_nor_one_without_curves(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no training with curves was run"):
        write_events(tmp_path, tmp_path / "curves")
    CurveTable().write(tmp_path / "teacher/curves.parquet")
    with pytest.raises(UserError, match="exists already"):
        write_events(tmp_path, tmp_path)
