import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from unscribed.artifacts import write_table
from unscribed.figures import pretrain as figures_wav2vec
from unscribed.figures.pretrain import codebook_figure, pretrain_figure
from unscribed.ssl.codebook import CODEBOOK_SCHEMA


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, kept open to be looked at."""
    kept = []

    def keep(drawing, path):
        drawing.savefig(path)
        kept.append(drawing)

    monkeypatch.setattr(figures_wav2vec, "save", keep)
    return kept


def lines(axes):
    return {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}


LISTS = pa.list_(pa.float64())


def write_curves(path, **columns):
    """A table of curves: two checks, with what is not given at 0.5 and 0.25."""
    names = ["accuracy", "valid_accuracy", "gradient_norm"]
    columns = {name: [0.5, 0.25] for name in names} | {"update": [10, 20], "status": ["ok", "collapsed"]} | columns
    types = {"update": pa.int64(), "status": pa.string(), "valid_perplexities": LISTS}
    write_table(path, columns, [(name, types.get(name, pa.float64())) for name in columns])


def test_curves_of_both_splits_and_all_codebooks(tmp_path, drawn):
    losses = {"contrastive": [4.5, 4.0], "valid_contrastive": [4.0, 3.0]}
    write_curves(tmp_path / "curves.parquet", **losses, valid_perplexities=[[8.0, 6.0], [9.0, 1.0]])
    pretrain_figure(curves=tmp_path / "curves.parquet", figure=tmp_path / "figure.png")
    (drawing,) = drawn
    assert isinstance(drawing, Figure) and (tmp_path / "figure.png").stat().st_size > 10_000
    left, _, right = drawing.axes
    assert lines(left)["valid"] == [4.0, 3.0]
    shown = lines(right)
    assert shown["codebook 1"] == [8.0, 9.0] and shown["codebook 2"] == [6.0, 1.0]
    assert [1.0] in shown.values()  # the cross of the collapse


def test_curves_of_hubert(tmp_path, drawn):
    losses = {"masked": [4.5, 4.0], "valid_masked": [4.0, 3.0]}
    write_curves(tmp_path / "curves.parquet", **losses, valid_perplexities=[[8.0], [90.0]])
    pretrain_figure(curves=tmp_path / "curves.parquet", figure=tmp_path / "figure.png")
    left, _, right = drawn[0].axes
    assert left.get_title(loc="left") == "Naming the cluster" and lines(left)["valid"] == [4.0, 3.0]
    assert lines(right)["clusters"] == [8.0, 90.0]


def test_codes_of_languages_that_share_half_of_them(tmp_path, drawn):
    rows = []
    for language, used in {"x": (0, 1), "y": (1, 2)}.items():
        for part in range(3):
            rows += [(language, part, 0, code, 50 if code in used else 0) for code in range(4)]
    columns = dict(zip([name for name, _ in CODEBOOK_SCHEMA], zip(*rows, strict=True), strict=True))
    write_table(tmp_path / "codebook.parquet", columns, CODEBOOK_SCHEMA)
    codebook_figure(usage=tmp_path / "codebook.parquet", figure=tmp_path / "figure.png")
    left, middle, right = drawn[0].axes[:3]
    assert [label.get_text() for label in left.get_yticklabels()] == ["x", "y"]
    assert left.images[0].get_array()[:, 0].tolist() == pytest.approx([0.5, 0.5])  # the shared code is used most
    assert [len(points.get_offsets()) for points in middle.collections] == [3, 3]
    assert np.allclose(right.images[0].get_array(), [[1.0, 0.5], [0.5, 1.0]])
