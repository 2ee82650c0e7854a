from pathlib import Path

from helpers.drawn import assert_drawn

from unscribed.figures.teacher import teacher_figure
from unscribed.teacher.adapt import AdaptationTable
from unscribed.teacher.train import CurveTable


def test_learning_and_adaptation(tmp_path: Path) -> None:
    CurveTable.from_rows([(500, 9.0, 2.0, 1.5, 0.6), (1000, 18.0, 1.5, 1.2, 0.8)]).write(tmp_path / "curves.parquet")
    tried = [(0.8, 8.0, 0.4, False), (1.0, 8.0, 0.5, False), (0.8, 11.0, 0.45, False), (1.0, 11.0, 0.55, True)]
    AdaptationTable.from_rows(tried).write(tmp_path / "adaptation.parquet")
    given = {"curves": tmp_path / "curves.parquet", "adaptation": tmp_path / "adaptation.parquet"}
    teacher_figure(**given, figure=tmp_path / "teacher.png")
    assert_drawn(tmp_path / "teacher.png", 0.02)
