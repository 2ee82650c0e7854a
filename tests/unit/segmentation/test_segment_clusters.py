from functools import partial
from pathlib import Path

import numpy as np
import pytest

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.segmentation import segment_clusters as units
from unscribed.segmentation.segment_clusters import cluster


@pytest.fixture
def blobs(tmp_path: Path) -> tuple[FrameStore, np.ndarray]:
    """Segments around 5 distant points of the plane, and the point of each."""
    rng = np.random.default_rng(0)
    points = rng.integers(0, 5, 300)
    rows = 20 * np.stack([np.cos(2 * np.pi * points / 5), np.sin(2 * np.pi * points / 5)], axis=1)
    with FrameWriter(tmp_path / "segments.npy") as writer:
        for number, part in enumerate(np.split(rows + rng.normal(size=rows.shape), 30)):
            writer.append(f"u{number}", part)
    return FrameStore(tmp_path / "segments.npy"), points


def test_units_are_the_groups(blobs: tuple[FrameStore, np.ndarray]) -> None:
    store, points = blobs
    ids = cluster(store, 20, seed=0)
    assert ids.shape == points.shape and ids.dtype == np.int64 and set(ids) <= set(range(20))
    assert all(len(set(points[ids == unit])) == 1 for unit in set(ids))  # no unit holds two points
    assert len(set(ids)) > 15


def test_seed_and_blocks(blobs: tuple[FrameStore, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = blobs
    ids = cluster(store, 8, seed=3)
    monkeypatch.setattr(units, "blocks", partial(units.blocks, frames=25))
    np.testing.assert_array_equal(cluster(store, 8, seed=3), ids)
    assert not np.array_equal(cluster(store, 8, seed=4), ids)


def test_segments_beyond_the_sample_get_ids_too(
    blobs: tuple[FrameStore, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "POINTS_PER_UNIT", 4)
    ids = cluster(blobs[0], 10, seed=0)
    assert len(ids) == 300 and all(len(set(blobs[1][ids == unit])) == 1 for unit in set(ids))


def test_fewer_segments_than_units(blobs: tuple[FrameStore, np.ndarray]) -> None:
    assert len(cluster(blobs[0], 300, seed=0)) == 300
    with pytest.raises(UserError, match=r"segments\.npy: 300 segments are too few for 301 units.*match\.clusters"):
        cluster(blobs[0], 301, seed=0)
