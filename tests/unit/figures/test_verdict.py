from pathlib import Path

import pytest
from helpers.drawn import assert_drawn
from matplotlib.figure import Figure

from unscribed.artifacts import write_json
from unscribed.evaluation.verdict import ADVICE, DOUBTFUL, FIGURES
from unscribed.figures.verdict import REACH, verdict_figure


def draw(folder: Path, values: dict[str, float]) -> Path:
    figures = {
        name: {"value": value, "good": FIGURES[name].good, "bad": FIGURES[name].bad, "meaning": FIGURES[name].meaning}
        for name, value in values.items()
    }
    write_json(folder / "verdict.json", {"verdict": DOUBTFUL, "figures": figures, "advice": ADVICE[DOUBTFUL]})
    verdict_figure(verdict=folder / "verdict.json", figure=folder / "verdict.png")
    return folder / "verdict.png"


def test_each_figure_is_a_mark_on_its_axis(tmp_path: Path, drawn: list[Figure]) -> None:
    """One far beyond its limit lies at the end of its axis."""
    draw(tmp_path, {"edits": 0.03, "fluency": 50.0})
    edits, fluency = drawn[0].axes
    assert edits.lines[0].get_xdata()[0] == 0.03
    assert fluency.lines[0].get_xdata()[0] == pytest.approx(0.99 * REACH * FIGURES["fluency"].bad)
    assert edits.get_title(loc="left").startswith("edits: ") and DOUBTFUL in drawn[0].get_suptitle()


def test_it_has_ink(tmp_path: Path) -> None:
    assert_drawn(draw(tmp_path, {"edits": 0.1, "fluency": 1.5, "pull": 1.3}))
