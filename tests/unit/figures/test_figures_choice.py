"""The figures of the choice and of the GAN's training."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from unscribed.evaluation.select import SCORED_SCHEMA
from unscribed.figures.gan import gan_figure
from unscribed.figures.select import select_figure
from unscribed.gan.runs import GRID, all_runs, run_label
from unscribed.gan.train import CURVES_SCHEMA

WEIGHTS = {**{name: [0.05] for name in GRID}, "start": ["match", "random"], "gradient_penalty": [0.1, 1.5]}
LABELS = [run_label(run) for run in all_runs({"seeds": [0, 1], **WEIGHTS})]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Layouts that do not fit, and logarithms of nothing, are warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def assert_drawn(path: Path) -> None:
    image = plt.imread(path)[..., :3]
    assert min(image.shape[:2]) > 200
    assert (image.min(axis=2) < 0.9).mean() > 0.01, "the figure is blank"
    assert not plt.get_fignums(), "the figure stays in memory"


def candidates(chosen: str, rounds: int = 3) -> list[tuple]:
    """Rounds of the matching, of which the first says nothing, and all runs."""
    names = [(f"match seed0/round{number}", "match") for number in range(1, rounds + 1)]
    names += [(label, "gan") for label in LABELS]
    rows = []
    for place, (name, kind) in enumerate(names):
        nll, usage = (np.inf, 0.0) if not place else (2 - place / 20, 0.9)
        weighted = np.exp(nll) / usage**2 if place else np.inf
        rows.append((name, kind, nll, usage, -1000 * nll, np.exp(nll), weighted, name == chosen))
    return rows


@pytest.mark.parametrize("chosen", ["match seed0/round2", LABELS[3]])
@pytest.mark.parametrize("known", [True, False])
def test_choice(finished: Any, chosen: str, known: bool) -> None:
    rows = [(*row, 0.5 - place / 50 if known else None) for place, row in enumerate(candidates(chosen))]
    path, figure = finished.table("scored.parquet", rows, SCORED_SCHEMA), finished.root / "select.png"
    select_figure(scored=path, figure=figure)
    assert_drawn(figure)
    matching = [row for row in rows if row[1] == "match"]
    if chosen in [row[0] for row in matching]:
        finished.table("scored.parquet", matching, SCORED_SCHEMA)
        select_figure(scored=path, figure=figure)
        assert_drawn(figure)


def curve(run: int, perplexities: list[float], status: str = "ok") -> list[dict]:
    """Checks every 10 updates, the first before any; `status` of the last one."""
    rows = []
    for number, perplexity in enumerate(perplexities):
        row = {"run": run, "label": LABELS[run], "update": 10 * number, "weighted_perplexity": perplexity}
        row |= {"usage": 0.5 if np.isfinite(perplexity) else 0.0, "status": "ok"}
        if number:
            row |= {"discriminator_fake": 0.7 - 0.1 * number, "discriminator_real": 0.6}
        rows.append(row)
    rows[-1]["status"] = status
    return rows


def write_curves(run: Any, name: str, rows: list[dict]) -> str:
    columns = [column for column, _ in CURVES_SCHEMA]
    return run.table(name, [tuple(row.get(column) for column in columns) for row in rows], CURVES_SCHEMA)


@pytest.mark.parametrize("chosen", ["match seed0/round2", LABELS[0]])
def test_training_of_the_gan(finished: Any, chosen: str) -> None:
    """Two jobs; one run is good, one collapsed, one diverged while it said nothing."""
    table = finished.table("candidates.parquet", candidates(chosen), finished.candidates_schema)
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
    rows.append((LABELS[0], "gan", np.inf, 0.0, -np.inf, np.inf, np.inf, False))
    table = finished.table("candidates.parquet", rows, finished.candidates_schema)
    path, figure = write_curves(finished, "curves.parquet", curve(0, [np.inf, np.inf])), finished.root / "gan.png"
    gan_figure(curves=[path], candidates=table, figure=figure)
    assert_drawn(figure)
