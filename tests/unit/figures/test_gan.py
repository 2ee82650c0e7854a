from typing import Any

import numpy as np
import pytest
from helpers.choice import LABELS, candidates, curve, write_curves
from helpers.drawn import assert_drawn

from unscribed.figures.gan import gan_figure
from unscribed.selection.select import CandidateTable


@pytest.mark.parametrize("chosen", ["match seed0/round2", LABELS[0]])
def test_training_of_the_gan(finished: Any, chosen: str) -> None:
    """Two jobs; one run is good, one collapsed, one decoded only silence and diverged."""
    table = finished.table("candidates.parquet", candidates(chosen), CandidateTable)
    lost = curve(1, [50, 400, 90000], "collapsed: only 5% of the phones are used")
    diverged = curve(2, [np.inf, np.inf], "diverged: generator is not a finite number")
    diverged[-1]["discriminator_fake"] = np.nan
    paths = [
        write_curves(finished, "gan/job0/curves.parquet", curve(0, [30, 20, 10, 8]) + lost),
        write_curves(finished, "gan/job1/curves.parquet", diverged),
    ]
    figure = finished.root / "gan.png"
    gan_figure(curves=paths, candidates=table, figure=figure)
    assert_drawn(figure)


def test_training_of_one_silent_run(finished: Any) -> None:
    rows = candidates("match seed0/round2")[:3]
    rows.append((LABELS[0], "gan", np.inf, 0.0, -np.inf, np.inf, np.inf, -np.inf, -np.inf, False))
    table = finished.table("candidates.parquet", rows, CandidateTable)
    path, figure = write_curves(finished, "curves.parquet", curve(0, [np.inf, np.inf])), finished.root / "gan.png"
    gan_figure(curves=[path], candidates=table, figure=figure)
    assert_drawn(figure)
