"""Fixtures of these tests."""

import warnings
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from helpers.finished_run import finished  # noqa: F401
from helpers.report_inputs import evaluated  # noqa: F401
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Fail on warnings: missing glyphs, layouts that do not fit, logarithms of zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The saved figures, kept open for the test."""
    kept: list[Figure] = []
    monkeypatch.setattr(plt, "close", kept.append)
    yield kept
    monkeypatch.undo()
    plt.close("all")
