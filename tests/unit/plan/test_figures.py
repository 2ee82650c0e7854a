import pytest

from unscribed.figures.table import ReportFigure
from unscribed.plan import figures
from unscribed.plan.figures import FiguresPlan

VALUES = {"b": [1, 2], "c": ["x", "y"], "d": [], "index": [0, 1]}
TABLE = [
    ReportFigure("always", "", {}, "", {}),
    ReportFigure("gan", "", {}, "", {}, needs=("gan",)),
    ReportFigure("pretrain", "", {}, "", {}, needs=("pretrain",)),
    ReportFigure("codebook", "", {}, "", {}, needs=("pretrain", "codebook")),
    ReportFigure("each", "", {}, "", {}, each="index"),
]


def test_wildcards_are_filled_by_all_their_values() -> None:
    figure = ReportFigure("x", "", {"one": "<results>/a", "all": "{b}/{c}.txt", "none": "{d}.txt"}, "", {})
    assert FiguresPlan({}, VALUES).inputs(figure) == {
        "one": "<results>/a",
        "all": ["1/x.txt", "1/y.txt", "2/x.txt", "2/y.txt"],
        "none": [],
    }


@pytest.mark.parametrize(
    ("given", "drawn", "pretraining"),
    [
        ((), ["always", "each.0", "each.1"], ["pretrain"]),
        (("gan", "codebook"), ["always", "gan", "each.0", "each.1"], ["pretrain", "codebook"]),
        (("pretrain",), ["always", "pretrain", "each.0", "each.1"], ["pretrain"]),
    ],
)
def test_a_figure_is_drawn_if_all_that_it_needs_is_given(
    monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], drawn: list[str], pretraining: list[str]
) -> None:
    monkeypatch.setattr(figures, "FIGURES", TABLE)
    plan = FiguresPlan({need: need in given for need in ("gan", "pretrain", "codebook")}, VALUES)
    assert plan.drawn == [f"<results>/figures/{name}.png" for name in drawn]
    assert plan.of("pretrain") == [f"<results>/figures/{name}.png" for name in pretraining]
