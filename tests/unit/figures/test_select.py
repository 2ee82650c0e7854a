from typing import Any

import pytest
from helpers.choice import LABELS, candidates
from helpers.drawn import assert_drawn

from unscribed.evaluation.select import ScoredTable
from unscribed.figures.select import select_figure


@pytest.mark.parametrize("chosen", ["match seed0/round2", LABELS[3]])
@pytest.mark.parametrize("known", [True, False])
def test_choice(finished: Any, chosen: str, known: bool) -> None:
    rows = [(*row, 0.5 - place / 50 if known else None) for place, row in enumerate(candidates(chosen))]
    rows.append(("teacher", "teacher", 1.5, 1.0, -80.0, 4.5, 4.5, -1.5, -1.5, False, 0.1 if known else None))
    path, figure = finished.table("scored.parquet", rows, ScoredTable), finished.root / "select.png"
    select_figure(scored=path, figure=figure)
    assert_drawn(figure)
    matching = [row for row in rows if row[1] == "match"]
    if chosen in [row[0] for row in matching]:
        finished.table("scored.parquet", matching, ScoredTable)
        select_figure(scored=path, figure=figure)
        assert_drawn(figure)
