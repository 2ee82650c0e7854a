"""A choice among rounds of the matching and runs of the GAN, and the curves of the runs."""

from typing import Any

import numpy as np

from unscribed.gan.curves import GanCurveTable
from unscribed.gan.runs import GRID, all_runs, run_label

WEIGHTS = {**{name: [0.05] for name in GRID}, "start": ["match", "random"], "gradient_penalty": [0.1, 1.5]}
LABELS = [run_label(run) for run in all_runs({"seeds": [0, 1], **WEIGHTS})]


def candidates(chosen: str, rounds: int = 3) -> list[tuple]:
    """Rounds of the matching, the first of which decodes only silence, and all runs of the GAN."""
    names = [(f"match seed0/round{number}", "match") for number in range(1, rounds + 1)]
    names += [(label, "gan") for label in LABELS]
    rows = []
    for place, (name, kind) in enumerate(names):
        nll, usage = (np.inf, 0.0) if not place else (2 - place / 20, 0.9)
        weighted = np.exp(nll) / usage**2 if place else np.inf
        rows.append((name, kind, nll, usage, -1000 * nll, np.exp(nll), weighted, -nll, -nll, name == chosen))
    return rows


def curve(run: int, perplexities: list[float], status: str = "ok") -> list[dict]:
    """Checks of a run every 10 updates, the first before any update; `status` is that of the last one."""
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
    return run.table(name, [tuple(row.get(column) for column in GanCurveTable.SCHEMA) for row in rows], GanCurveTable)
