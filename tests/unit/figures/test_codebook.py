from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from unscribed.figures.codebook import codebook_figure
from unscribed.ssl.codebook import CodebookTable


def test_codes_of_languages_that_share_half_of_them(tmp_path: Path, drawn: list[Figure]) -> None:
    rows = []
    for language, used in {"x": (0, 1), "y": (1, 2)}.items():
        for part in range(3):
            rows += [(language, part, 0, code, 50 if code in used else 0) for code in range(4)]
    CodebookTable.from_rows(rows).write(tmp_path / "codebook.parquet")
    codebook_figure(usage=tmp_path / "codebook.parquet", figure=tmp_path / "figure.png")
    left, middle, right = drawn[0].axes[:3]
    assert [label.get_text() for label in left.get_yticklabels()] == ["x", "y"]
    assert left.images[0].get_array()[:, 0].tolist() == pytest.approx([0.5, 0.5])  # the shared code is used most
    assert [len(points.get_offsets()) for points in middle.collections] == [3, 3]
    assert np.allclose(right.images[0].get_array(), [[1.0, 0.5], [0.5, 1.0]])
