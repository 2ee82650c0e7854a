import logging
from pathlib import Path

import numpy as np
import pytest

from unscribed.artifacts import read_json
from unscribed.frames import FrameStore, FrameWriter
from unscribed.segmentation.rate import NOTHING, segment_rate, threshold_for
from unscribed.segmentation.segment import SegmentSettings, segment
from unscribed.tables import BoundaryTable

LENGTHS = (300, 1, 500, 40)
METHODS = ("peaks", "clusters", "fixed")


def _settings(method: str) -> SegmentSettings:
    return SegmentSettings(method, smoothing_frames=0.0, threshold=0.0, frames_per_segment=2, pool_neighbours=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Stores of 8.41 s in which every segment differs from its neighbours."""
    rng = np.random.default_rng(0)
    for name, dims, dtype in (("features", 13, "float32"), ("pca", 3, "float32"), ("clusters", 1, "int32")):
        with FrameWriter(tmp_path / f"{name}.npy", {"hop_ms": 10.0}, dtype=dtype) as writer:
            for number, length in enumerate(LENGTHS):
                values = rng.integers(0, 9, (length, 1)) if dtype == "int32" else rng.normal(size=(length, dims))
                writer.append(f"u{number}", values)
    return tmp_path


def _rate(folder: Path, method: str, rate_hz: float) -> dict[str, float]:
    stores = {name: folder / f"{name}.npy" for name in ("features", "clusters")}
    path = folder / "rate.json"
    segment_rate(frames=folder / "pca.npy", **stores, settings=_settings(method), rate_hz=rate_hz, rate=path)
    return read_json(path)


def _segment(folder: Path, method: str, rate: Path | list[str]) -> list[list[int]]:
    segment(
        frames=folder / "pca.npy",
        features=folder / "features.npy",
        train_features=folder / "features.npy",
        clusters=folder / "clusters.npy",
        rate=rate,
        settings=_settings(method),
        boundaries=folder / "boundaries.parquet",
        segments=folder / "segments.npy",
    )
    return [row.tolist() for row in BoundaryTable.read(folder / "boundaries.parquet")["boundaries_frames"]]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_the_rate_that_is_asked_for(folder: Path, method: str) -> None:
    found = _rate(folder, method, 10.0)
    assert found["before_hz"] > 20 and found["after_hz"] == pytest.approx(10, abs=0.3)
    plain = _segment(folder, method, [])
    merged = _segment(folder, method, folder / "rate.json")
    assert 82 <= sum(len(row) - 1 for row in merged) <= 84  # of 8.41 s
    for before, after, length in zip(plain, merged, LENGTHS, strict=True):
        assert {0, length} <= set(after) <= set(before)
    store, frames = FrameStore(folder / "segments.npy"), FrameStore(folder / "pca.npy")
    np.testing.assert_allclose(store[0][0], frames[0][: merged[0][1]].mean(axis=0), rtol=1e-5, atol=1e-6)


def test_the_threshold_is_that_of_the_whole_corpus() -> None:
    assert threshold_for(np.array([3.0, 5.0, 1.0, 2.0]), 7, 5) == (2.0, 5)
    assert threshold_for(np.array([3.0, 5.0, 1.0, 2.0]), 7, 0) == (5.0, 3)  # three utterances keep one each
    assert threshold_for(np.array([3.0, 2.0, 2.0]), 7, 6) == (2.0, 5)  # equal ones go together
    assert threshold_for(np.array([3.0]), 4, 4) == threshold_for(np.array([3.0]), 4, 9) == (NOTHING, 4)


def test_a_rate_that_the_method_does_not_reach(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    found = _rate(folder, "fixed", 80.0)
    assert found["threshold"] == NOTHING and found["before_hz"] == found["after_hz"] == pytest.approx(50, abs=0.2)
    assert "segment.rate_hz asks for 80 segments a second, and segment.method fixed makes 50" in caplog.text
    assert _segment(folder, "fixed", folder / "rate.json") == _segment(folder, "fixed", [])
