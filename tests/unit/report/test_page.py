"""The page of a run, as text and in a browser without a screen."""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.finished_run import Run

from unscribed.calls import PACKAGE
from unscribed.evaluation import tables
from unscribed.figures.table import FIGURES
from unscribed.figures.verdict import verdict_figure
from unscribed.report.page import by_stage, page
from unscribed.tables import WordTable

CAPTIONS = PACKAGE.parent / "report"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def written(evaluated: Run) -> Path:
    """The page of a run whose first utterance has one wrong word of two; the second has none, and no transcript."""
    words = [
        ("u1", ["a", "<b>"], [2, 20], [18, 20], [0.9, 0.4], ["a", "b"], [2, 20], 60, ["a <b>"], [-1.0], "ok"),
        ("u2", [], [], [], [], [], [], 100, [], [], "no_path"),
    ]
    scored = [("u1", "a c", "a <b>", 1, 2), ("u2", None, "", None, None)]
    verdict_figure(verdict=evaluated.path("verdict.json"), figure=evaluated.path("figures.verdict.png"))
    picture = Path(evaluated.path("verdict.png"))
    Path(evaluated.path("figures.verdict.png")).rename(picture)
    page(
        metrics=evaluated.path("metrics.json"),
        verdict=evaluated.path("verdict.json"),
        figures=[str(picture)],
        captions=[str(CAPTIONS / f"{figure.name}.rst") for figure in FIGURES],
        words=evaluated.table("words/test.parquet", words, WordTable),
        scored=evaluated.table("evaluate/word_utterances.parquet", scored, tables.UtteranceTable),
        manifest=evaluated.path("manifest/test.parquet"),
        template=CAPTIONS / "page.html.jinja",
        configuration={"corpus": {"name": "mine & yours", "kind": "folder", "language": "tr"}, "vad": {"method": "x"}},
        sample_rate_hz=16000,
        page=evaluated.path("report.html"),
    )
    return Path(evaluated.path("report.html"))


def test_it_says_what_was_found(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "<strong>learned</strong>" in text and "Use it." in text and "edits per phone" in text
    assert "mine &amp; yours" in text and "&lt;b&gt;" in text and "<b>" not in text  # text of users is no markup
    assert "u1: 1 wrong word<" in text and "u2" in text and text.count("data:audio/mpeg;base64,") == 2
    assert text.count("data:image/png;base64,") == 1 and "Has it learned?" in text and "Phone confusions" not in text
    assert "method: x" in text and "http" not in text  # nothing is loaded from elsewhere


def test_metrics_by_stage() -> None:
    metrics = {"test.per": 0.5, "test.wer": 0.6, "hmm.edits": 0.1, "seconds.a": 3.0, "memory_mb.b": 70.0}
    assert by_stage(metrics) == {"hmm": {"hmm.edits": 0.1}, "test": {"test.per": 0.5, "test.wer": 0.6}}


def test_captions_are_plain_text() -> None:
    """The page shows them as they are, Snakemake's report as reStructuredText."""
    for figure in FIGURES:
        assert not set("`*|{") & set((CAPTIONS / f"{figure.name}.rst").read_text(encoding="utf-8")), figure.name


@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
def test_a_browser_shows_the_verdict_without_errors(written: Path, tmp_path: Path) -> None:
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--enable-logging=stderr", "--dump-dom", written.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stderr
    assert "<strong>learned</strong>" in shown.stdout and "CONSOLE" not in shown.stderr
