from typing import Any

import pytest
from helpers.drawn import assert_drawn, lines
from matplotlib.figure import Figure

from unscribed.evaluation.tables import RoundTable
from unscribed.figures.rounds import last_objectives, rounds_figure


def draw(run: Any, known: bool) -> str:
    """Draw three seeds of two rounds: discrepancies 1 and 0, error rates 80 and 70 % (or unknown); seed 1 is thick."""
    history = [
        (seed, number, seed == 1, 2.0 - number, 0.9 - 0.1 * number if known else None)
        for seed in (0, 1, 2)
        for number in (1, 2)
    ]
    path, figure = run.table("rounds.parquet", history, RoundTable), run.path("rounds.png")
    rounds_figure(rounds=path, restarts=run.paths("match/seed*/round*/objectives.parquet"), figure=figure)
    return figure


@pytest.mark.parametrize("known", [True, False])
def test_rounds(finished: Any, known: bool) -> None:
    assert_drawn(draw(finished, known))


def test_objectives_and_discrepancies_have_panels_of_their_own(finished: Any, drawn: list[Figure]) -> None:
    draw(finished, True)
    left, middle, right = drawn[0].axes
    points = [point for dots in left.collections for point in dots.get_offsets().tolist()]
    lowest = [[1, 1.2], [1, 2.0], [2, 1.0], [2, 2.5]]
    assert sorted(points) == sorted([*lowest, *lowest, [1, 3.0], [2, 1.5]])  # dots, and rings around the lowest
    assert "bjective" in left.get_ylabel() and "iscrepancy" in middle.get_ylabel()
    assert lines(middle)["seed 1"] == [1.0, 0.0]
    assert lines(right)["seed 1"] == pytest.approx([80, 70])


def test_only_the_last_units_of_a_round_are_dots(finished: Any) -> None:
    path = finished.path("match/seed0/round1/objectives.parquet")
    assert last_objectives(path)["objective"].tolist() == [3.0, 2.0]
