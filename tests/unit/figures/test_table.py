"""The table of figures: every figure can be drawn, has a label and caption of its own, and can be edited alone."""

from pathlib import Path
from typing import Any

import pytest
from helpers.drawn import assert_drawn

from unscribed.calls import closure, split_call
from unscribed.figures.table import FIGURES, ReportFigure
from unscribed.figures.utterance import ReportSettings
from unscribed.plan.figures import FiguresPlan
from unscribed.stage import named_function

REPORT = Path(__file__).parents[3] / "workflow/report"
PARAMS = {"settings": ReportSettings(utterances=2), "sample_rate_hz": 16000, "hop_ms": 10.0}
PLACES = [f"seed{seed}/round{number}" for seed in (0, 1) for number in (1, 2)]
VALUES = {"place": PLACES, "job": [0], "transcribed": ["test"], "index": [0, 1]}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_figure_is_drawn_from_a_finished_run(evaluated: Any, figure: ReportFigure) -> None:
    def place(found: str | list[str]) -> str | list[str]:
        if isinstance(found, list):
            return [str(place(one)) for one in found]
        return found.replace("<results>", str(evaluated.root))

    path = evaluated.root / "figure.png"
    arguments = {name: place(found) for name, found in FiguresPlan({}, VALUES).inputs(figure).items()}
    arguments |= {name: PARAMS[name] for name in figure.params}
    for value in VALUES[figure.each] if figure.each else [None]:
        wildcard = {figure.each: str(value)} if figure.each else {}
        named_function(figure.call)(**arguments, **wildcard, figure=path)
        assert_drawn(path)


def test_every_figure_has_its_own_name_label_and_caption() -> None:
    names, labels = [figure.name for figure in FIGURES], [str(figure.labels) for figure in FIGURES]
    assert len(names) == len(set(names)) == len(set(labels))
    assert sorted(names) == sorted(path.stem for path in REPORT.glob("*.rst") if path.stem != "workflow")


def test_an_edit_of_one_figure_draws_no_other() -> None:
    sources = {figure.name: closure(split_call(figure.call)[0]) for figure in FIGURES}
    for name, paths in sources.items():
        drawing = {path.stem for path in paths if path.parent.name == "figures"} & sources.keys()
        assert drawing == {name}
