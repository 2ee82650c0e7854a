from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.segmentation.segment import SegmentSettings, change_peaks, pool_neighbours, runs, segment, segment_means
from unscribed.tables import BoundaryTable

SETTINGS = SegmentSettings(
    method="peaks", smoothing_frames=1.0, threshold=0.8, frames_per_segment=4, pool_neighbours=False
)
LENGTHS = (60, 1, 2, 3, 100)


def _store(path: Path, frames: np.ndarray, lengths: tuple[int, ...] = LENGTHS, dtype: str = "float32") -> np.ndarray:
    with FrameWriter(path, {"hop_ms": 10.0}, dtype=dtype) as writer:
        for number, part in enumerate(np.split(frames, np.cumsum(lengths)[:-1])):
            writer.append(f"u{number}", part)
    return frames


def _run(
    folder: Path, settings: SegmentSettings, train_features: str = "features.npy", rate: Path | list[str] | None = None
) -> tuple[list[list[int]], FrameStore]:
    segment(
        frames=folder / "pca.npy",
        features=folder / "features.npy",
        train_features=folder / train_features,
        clusters=folder / "clusters.npy" if settings.method == "clusters" else [],
        rate=rate or [],
        settings=settings,
        boundaries=folder / "boundaries.parquet",
        segments=folder / "segments.npy",
    )
    table = BoundaryTable.read(folder / "boundaries.parquet")
    return [edges.tolist() for edges in table["boundaries_frames"]], FrameStore(folder / "segments.npy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Stores of features (random), PCA frames (the frame number, its square) and clusters (random runs)."""
    rng = np.random.default_rng(0)
    total = sum(LENGTHS)
    _store(tmp_path / "features.npy", rng.normal(size=(total, 39)))
    number = np.arange(total)
    _store(tmp_path / "pca.npy", np.stack([number, number**2], axis=1))
    _store(tmp_path / "clusters.npy", np.repeat(rng.integers(0, 9, total), 3)[:total, None], dtype="int32")
    return tmp_path


@pytest.mark.parametrize("method", ["peaks", "clusters", "fixed"])
@pytest.mark.parametrize("pool", [False, True])
def test_segments_cover_every_utterance(folder: Path, method: str, pool: bool) -> None:
    found, store = _run(folder, replace(SETTINGS, method=method, pool_neighbours=pool))
    assert store.utterances == [f"u{number}" for number in range(len(LENGTHS))]
    assert store.metadata == {"hop_ms": 10.0} and store.data.dtype == np.float32
    for edges, length, (_, means) in zip(found, LENGTHS, store, strict=True):
        assert edges[0] == 0 and edges[-1] == length and (np.diff(edges) > 0).all()
        assert means.shape == (len(edges) - 1, 2)
    assert len(found[-1]) > 3


def test_fixed_segments_by_hand(folder: Path) -> None:
    found, store = _run(folder, replace(SETTINGS, method="fixed", frames_per_segment=25))
    assert found == [[0, 25, 50, 60], [0, 1], [0, 2], [0, 3], [0, 25, 50, 75, 100]]
    np.testing.assert_allclose(store[0][:, 0], [12, 37, 54.5])
    np.testing.assert_allclose(store[2][0], [61.5, (61**2 + 62**2) / 2])
    found, store = _run(folder, replace(SETTINGS, method="fixed", frames_per_segment=25, pool_neighbours=True))
    assert found == [[0, 50, 60], [0, 1], [0, 2], [0, 3], [0, 50, 100]]
    np.testing.assert_allclose(store[0][:, 0], [24.5, 54.5])


def test_runs_and_means_by_hand() -> None:
    edges = runs(np.array([7, 7, 3, 7, 7, 7]))
    assert edges.tolist() == [0, 2, 3, 6]
    assert runs(np.array([5])).tolist() == [0, 1]
    frames = np.array([[1, 0], [3, 0], [10, 5], [1, 1], [2, 1], [6, 4]], dtype=np.float32)
    assert segment_means(frames, edges).tolist() == [[2, 0], [10, 5], [3, 2]]


def test_pooled_neighbours_weigh_the_same_whatever_their_length() -> None:
    means = np.array([[2, 0], [10, 5], [3, 2]], dtype=np.float32)
    pooled, edges = pool_neighbours(means, np.array([0, 2, 3, 6]))
    assert pooled.tolist() == [[6, 2.5], [3, 2]] and edges.tolist() == [0, 3, 6]
    pooled, edges = pool_neighbours(means[:2], np.array([0, 2, 3]))
    assert pooled.tolist() == [[6, 2.5]] and edges.tolist() == [0, 3]


def test_peaks_lie_at_the_steps() -> None:
    rng = np.random.default_rng(0)
    edges = np.array([0, 9, 21, 30, 44])
    frames = np.repeat(rng.normal(size=(4, 13)), np.diff(edges), axis=0).astype(np.float32)
    found = change_peaks(frames, 1.0, 1.0)
    assert len(found) == len(edges) and np.abs(found - edges).max() <= 1
    assert change_peaks(np.ones((20, 13), np.float32), 1.0, 1.0).tolist() == [0, 20]
    assert change_peaks(frames[:2], 1.0, 1.0).tolist() == [0, 2]
    noisy = frames + 0.05 * rng.normal(size=frames.shape)
    assert len(change_peaks(noisy, 0, 0.0)) > len(change_peaks(noisy, 0, 2.0)) >= len(edges)


def test_the_same_audio_is_cut_alike_in_every_split(folder: Path) -> None:
    """The last utterance of train as another split, in which the features vary otherwise than in train as a whole."""
    frames = np.random.default_rng(2).normal(size=(sum(LENGTHS), 39))
    frames[:60, :6] *= 9
    _store(folder / "train.npy", frames)
    _store(folder / "features.npy", frames)
    whole, _ = _run(folder, SETTINGS, "train.npy")
    _store(folder / "features.npy", frames[-100:], (100,))
    _store(folder / "pca.npy", FrameStore(folder / "pca.npy").data[-100:], (100,))
    alone, _ = _run(folder, SETTINGS, "train.npy")
    assert alone == whole[-1:] != _run(folder, SETTINGS)[0]


def test_peaks_of_hidden_states_are_those_of_their_pca(folder: Path) -> None:
    frames = FrameStore(folder / "pca.npy").data
    rng = np.random.default_rng(1)
    with FrameWriter(folder / "features.npy", {"kind": "wav2vec", "static_dims": 64}, dtype="float16") as writer:
        for number, part in enumerate(np.split(rng.normal(size=(len(frames), 64)), np.cumsum(LENGTHS)[:-1])):
            writer.append(f"u{number}", part)
    found, _ = _run(folder, SETTINGS)
    store = FrameStore(folder / "pca.npy")
    assert found == [change_peaks(values, 1.0, 0.8).tolist() for _, values in store]


def test_stores_that_do_not_belong_together(folder: Path) -> None:
    _store(folder / "features.npy", np.zeros((10, 39)), (4, 6))
    with pytest.raises(UserError, match=r"features\.npy and .*pca\.npy have different utterances"):
        _run(folder, SETTINGS)
    assert not list(folder.glob("*segments*")) and not list(folder.glob("*boundaries*"))
