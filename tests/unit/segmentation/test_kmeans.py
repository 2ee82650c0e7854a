from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter, blocks, sample_positions, standard_deviations
from unscribed.segmentation.kmeans import KmeansSettings, apply_kmeans, fit_kmeans

SETTINGS = KmeansSettings(clusters=4, iterations=20, restarts=3, max_frames=10_000)
CENTRES = np.array([[0, 0], [0, 1000], [1, 0], [1, 1000]], dtype=np.float32)  # the dimensions' scales differ


def _features(path: Path, lengths: tuple[int, ...] = (300, 1, 500, 99), seed: int = 0) -> np.ndarray:
    """Write four tight groups of frames; return the group of each frame."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 4, sum(lengths))
    frames = CENTRES[groups] + rng.normal(size=(len(groups), 2)) * np.array([0.01, 10])
    with FrameWriter(path, {"hop_ms": 10.0}) as writer:
        for number, part in enumerate(np.split(frames, np.cumsum(lengths)[:-1])):
            writer.append(f"u{number}", part)
    return groups


def test_groups_are_found_and_assigned(tmp_path: Path) -> None:
    groups = _features(tmp_path / "features.npy")
    model, ids = tmp_path / "kmeans.safetensors", tmp_path / "ids.npy"
    fit_kmeans(features=tmp_path / "features.npy", settings=SETTINGS, seed=0, centroids=model)
    apply_kmeans(features=tmp_path / "features.npy", kmeans=model, clusters=ids)
    tensors = load_file(model)
    ordered = tensors["centroids"][np.lexsort(np.round(tensors["centroids"]).T[::-1])]
    np.testing.assert_allclose(ordered, CENTRES, atol=2.5)
    np.testing.assert_allclose(ordered[:, 0], CENTRES[:, 0], atol=0.01)
    store = FrameStore(ids)
    assert store.data.dtype == np.int32 and store.data.shape == (900, 1)
    assert store.offsets.tolist() == [0, 300, 301, 801, 900]
    assert store.metadata == {"hop_ms": 10.0, "clusters": 4}
    assert len({(int(group), int(found)) for group, found in zip(groups, store.data[:, 0], strict=True)}) == 4


def test_the_seed_decides(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy", (400,))
    settings = KmeansSettings(clusters=8, iterations=5, restarts=1, max_frames=200)
    found = []
    for number, seed in enumerate((1, 1, 2)):
        model = tmp_path / f"{number}.safetensors"
        fit_kmeans(features=tmp_path / "features.npy", settings=settings, seed=seed, centroids=model)
        found.append(load_file(model)["centroids"])
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_fewer_frames_than_clusters(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy", (3,))
    with pytest.raises(UserError, match=r"3 frames are too few for kmeans\.clusters 4"):
        fit_kmeans(features=tmp_path / "features.npy", settings=SETTINGS, seed=0, centroids=tmp_path / "model")
    assert not list(tmp_path.glob("*model*"))


def test_constant_dimensions_do_no_harm(tmp_path: Path) -> None:
    frames = np.stack([np.arange(50) % 4, np.full(50, 7)], axis=1).astype(np.float32)
    with FrameWriter(tmp_path / "features.npy") as writer:
        writer.append("u", frames)
    model = tmp_path / "model.safetensors"
    fit_kmeans(features=tmp_path / "features.npy", settings=SETTINGS, seed=0, centroids=model)
    np.testing.assert_allclose(
        np.sort(load_file(model)["centroids"], axis=0), [[0, 7], [1, 7], [2, 7], [3, 7]], atol=1e-4
    )


def test_blocks_cover_every_utterance_once(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy", (300, 1, 500, 99))
    store = FrameStore(tmp_path / "features.npy")
    assert list(blocks(store, 301)) == [(0, 2), (2, 3), (3, 4)]
    assert list(blocks(store, 1)) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert list(blocks(store, 10_000)) == [(0, 4)]
    positions = sample_positions(store, 100, seed=0)
    assert len(set(positions)) == 100 and (np.diff(positions) > 0).all() and positions[-1] < 900


def test_an_empty_store(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "features.npy"):
        pass
    with pytest.raises(UserError, match=r"features\.npy has no frames"):
        fit_kmeans(features=tmp_path / "features.npy", settings=SETTINGS, seed=0, centroids=tmp_path / "model")


def test_half_precision_and_many_dimensions(tmp_path: Path) -> None:
    groups = np.random.default_rng(0).integers(0, 4, 400)
    frames = np.repeat(CENTRES[groups] / 10, 70, axis=1).astype(np.float16)  # sums of 400 values of 100 overflow
    frames[:, -1] = 7
    with FrameWriter(tmp_path / "features.npy", dtype="float16") as writer:
        writer.append("u", frames)
    fit_kmeans(features=tmp_path / "features.npy", settings=SETTINGS, seed=0, centroids=tmp_path / "model")
    apply_kmeans(features=tmp_path / "features.npy", kmeans=tmp_path / "model", clusters=tmp_path / "ids.npy")
    ids = FrameStore(tmp_path / "ids.npy").data[:, 0]
    assert len({(int(group), int(found)) for group, found in zip(groups, ids, strict=True)}) == 4
    deviations = standard_deviations(frames)
    np.testing.assert_allclose(deviations[:-1], frames[:, :-1].astype(np.float64).std(axis=0), rtol=1e-6)
    assert deviations[-1] == 1 and deviations.dtype == np.float32
