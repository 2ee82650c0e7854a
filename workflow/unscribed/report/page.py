"""Stage page: the whole run on one page, a file that any browser opens and that needs no other.

What is on it, from top to bottom: the verdict, the main numbers, utterances to listen to, the figures, all metrics, the
configuration, the versions.
"""

import base64
import logging
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import yaml

from unscribed import __version__
from unscribed.artifacts import Pathlike, atomic_path, read_json
from unscribed.evaluation.summary import main_rows
from unscribed.figures.table import FIGURES
from unscribed.report.utterances import shown_utterances

log = logging.getLogger(__name__)

PACKAGES = ("snakemake", "torch", "transformers", "numpy", "kaldifst", "kaldi-hmm-gmm", "espeakng-loader")
RESOURCES = {"seconds", "memory_mb"}  # first parts of the metrics that a figure shows


def page(
    *,
    metrics: Pathlike,
    verdict: Pathlike,
    figures: Sequence[str],
    captions: Sequence[str],
    words: Pathlike,
    scored: Pathlike,
    manifest: Pathlike,
    template: Pathlike,
    configuration: Mapping[str, Any],
    sample_rate_hz: int,
    page: Pathlike,
) -> None:
    """Write the page of a run.

    Inputs: `metrics` and `verdict` (JSON); `figures` (PNG), `captions`, a text `<name>.rst` for each figure of the
    table; of one split `words` (WordTable), the words `scored` (UtteranceTable) and `manifest`. `configuration` is
    complete. Raises UserError if audio of an utterance is missing or damaged.
    """
    values = read_json(metrics)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = environment.from_string(Path(template).read_text(encoding="utf-8")).render(
        corpus=configuration["corpus"],
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        verdict=read_json(verdict),
        rows=main_rows(values),
        utterances=shown_utterances(words, scored, manifest, sample_rate_hz),
        pictures=pictures(figures, captions),
        metrics=by_stage(values),
        configuration=yaml.safe_dump(dict(configuration), allow_unicode=True, sort_keys=False, width=120),
        versions=versions(),
    )
    with atomic_path(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    log.info("%.1f MB", Path(page).stat().st_size / 1e6)


def pictures(figures: Sequence[str], captions: Sequence[str]) -> list[dict[str, Any]]:
    """Return title, caption and images, as URIs, of each figure of the table that was drawn; `utterance` has several.

    They are in the order of the table.
    """
    texts = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in captions}
    drawn: dict[str, list[str]] = {}
    for path in figures:
        uri = f"data:image/png;base64,{base64.b64encode(Path(path).read_bytes()).decode()}"
        drawn.setdefault(Path(path).name.split(".")[0], []).append(uri)
    return [
        {"title": figure.title, "caption": texts[figure.name], "images": drawn[figure.name]}
        for figure in FIGURES
        if figure.name in drawn
    ]


def by_stage(metrics: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the metrics by the first part of their names, those of time and memory left out."""
    groups = groupby(sorted(metrics), key=lambda key: key.split(".")[0])
    return {name: {key: metrics[key] for key in keys} for name, keys in groups if name not in RESOURCES}


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python, and of the packages that results depend on most."""
    own = {"Unscribed": __version__, "Python": platform.python_version()}
    return own | {name: version(name) for name in PACKAGES}
