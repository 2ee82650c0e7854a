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
    """Missing glyphs, layouts that do not fit, and logarithms of nothing are warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The figures that are saved, kept open to be looked at."""
    kept: list[Figure] = []
    monkeypatch.setattr(plt, "close", kept.append)
    yield kept
    monkeypatch.undo()
    plt.close("all")
