from pathlib import Path
from typing import Any

from helpers.drawn import lines
from matplotlib.figure import Figure

from unscribed.figures.pretrain import pretrain_figure
from unscribed.ssl.pretrain import write_curves


def write_checks(path: Path, **columns: Any) -> None:
    """Write a table of curves with two checks; columns that are not given have the values 0.5 and 0.25."""
    names = ["accuracy", "valid_accuracy", "gradient_norm"]
    columns = {name: [0.5, 0.25] for name in names} | {"update": [10, 20], "status": ["ok", "collapsed"]} | columns
    write_curves(path, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def test_curves_of_both_splits_and_all_codebooks(tmp_path: Path, drawn: list[Figure]) -> None:
    losses = {"contrastive": [4.5, 4.0], "valid_contrastive": [4.0, 3.0]}
    write_checks(tmp_path / "curves.parquet", **losses, valid_perplexities=[[8.0, 6.0], [9.0, 1.0]])
    pretrain_figure(curves=tmp_path / "curves.parquet", figure=tmp_path / "figure.png")
    (drawing,) = drawn
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    left, _, right = drawing.axes
    assert lines(left)["valid"] == [4.0, 3.0]
    shown = lines(right)
    assert shown["codebook 1"] == [8.0, 9.0] and shown["codebook 2"] == [6.0, 1.0]
    assert [1.0] in shown.values()  # the cross of the collapse


def test_curves_of_hubert(tmp_path: Path, drawn: list[Figure]) -> None:
    losses = {"masked": [4.5, 4.0], "valid_masked": [4.0, 3.0]}
    write_checks(tmp_path / "curves.parquet", **losses, valid_perplexities=[[8.0], [90.0]])
    pretrain_figure(curves=tmp_path / "curves.parquet", figure=tmp_path / "figure.png")
    left, _, right = drawn[0].axes
    assert left.get_title(loc="left") == "Cluster prediction loss" and lines(left)["valid"] == [4.0, 3.0]
    assert lines(right)["clusters"] == [8.0, 90.0]
