from pathlib import Path

import pytest
from helpers.drawn import assert_drawn

from unscribed.evaluation.tables import DRAWN, FOUND, FROM_ORACLE, ORACLE, AnswerTable
from unscribed.figures.diagnose import diagnose_figure

SEGMENTS = [
    ("segments", ORACLE, 0, 2.5, None, 0.14),
    ("segments", FROM_ORACLE, 0, 2.1, 1.2, 0.22),
    *(("segments", DRAWN, draw, 2.8 + draw / 100, None, 1.05) for draw in range(5)),
    ("segments", FOUND, 0, 2.1, 1.2, 0.27),
]
TRUE = [("true", *row[1:]) for row in SEGMENTS[:-1]]


@pytest.mark.parametrize("rows", [SEGMENTS, SEGMENTS + TRUE])
def test_answers(tmp_path: Path, rows: list[tuple]) -> None:
    AnswerTable.from_rows(rows).write(tmp_path / "diagnose.parquet")
    diagnose_figure(table=tmp_path / "diagnose.parquet", figure=tmp_path / "diagnose.png")
    assert_drawn(tmp_path / "diagnose.png")
