from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.segmentation import pca as module
from unscribed.segmentation.pca import PcaSettings, apply_pca, fit_pca, stack

LENGTHS = (40, 1, 700, 259)


def _features(path: Path, dims: int = 6) -> np.ndarray:
    """Write frames whose last dimensions are mixtures of the first three; return them."""
    rng = np.random.default_rng(0)
    sources = rng.normal(size=(sum(LENGTHS), 3)) * np.array([3, 2, 1])
    frames = (sources @ rng.normal(size=(3, dims)) * np.geomspace(1, 1e3, dims) + 50).astype(np.float32)
    with FrameWriter(path, {"hop_ms": 10.0}) as writer:
        for number, part in enumerate(np.split(frames, np.cumsum(LENGTHS)[:-1])):
            writer.append(f"u{number}", part)
    return frames


def _fit(folder: Path, dims: int, context: int = 0, whiten: bool = False) -> tuple[dict[str, np.ndarray], FrameStore]:
    settings = PcaSettings(dims=dims, context_frames=context, whiten=whiten, max_frames=100_000)
    fit_pca(features=folder / "features.npy", settings=settings, seed=0, pca=folder / "pca.safetensors")
    apply_pca(features=folder / "features.npy", pca=folder / "pca.safetensors", projected=folder / "projected.npy")
    return load_file(folder / "pca.safetensors"), FrameStore(folder / "projected.npy")


def test_three_components_reconstruct_three_sources(tmp_path: Path) -> None:
    frames = _features(tmp_path / "features.npy")
    model, store = _fit(tmp_path, dims=3)
    rebuilt = (store.data @ model["components"]) * model["scale"] + model["mean"]
    np.testing.assert_allclose((rebuilt - frames) / model["scale"], 0, atol=1e-3)
    assert store.data.dtype == np.float32 and store.metadata == {"hop_ms": 10.0, "dims": 3, "static_dims": 3}
    assert store.offsets.tolist() == [0, *np.cumsum(LENGTHS).tolist()]


def test_components_are_orthonormal_ordered_and_signed(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy")
    model, store = _fit(tmp_path, dims=6)
    components = model["components"]
    np.testing.assert_allclose(components @ components.T, np.eye(6), atol=1e-5)
    assert (components[np.arange(6), np.abs(components).argmax(axis=1)] > 0).all()
    variances = store.data.var(axis=0)
    assert (np.diff(variances) <= 1e-6).all()
    assert variances.sum() == pytest.approx(6, rel=1e-3)  # of standardised dimensions


def test_whitening(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy")
    _, store = _fit(tmp_path, dims=3, whiten=True)
    np.testing.assert_allclose(np.cov(store.data.T), np.eye(3), atol=5e-3)
    _, store = _fit(tmp_path, dims=6, whiten=True)
    assert np.abs(store.data[:, 3:]).max() < 1  # empty directions stay small


def test_chunks_and_context_agree_with_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = _features(tmp_path / "features.npy")
    monkeypatch.setattr(module, "CHUNK", 64)
    model, store = _fit(tmp_path, dims=18, context=1)
    parts = [np.pad(part, ((1, 1), (0, 0)), mode="edge") for part in np.split(frames, np.cumsum(LENGTHS)[:-1])]
    stacked = np.concatenate([np.concatenate([part[:-2], part[1:-1], part[2:]], axis=1) for part in parts])
    np.testing.assert_allclose(model["mean"], stacked.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model["scale"], stacked.std(axis=0), rtol=1e-4)
    standard = (stacked - model["mean"]) / model["scale"]
    np.testing.assert_allclose(store.data, standard @ model["components"].T, atol=2e-3)


def test_stack_by_hand(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "features.npy") as writer:
        writer.append("a", np.array([[1], [2], [3]]))
        writer.append("b", np.array([[9]]))
    store = FrameStore(tmp_path / "features.npy")
    found = stack(store, np.array([0, 2, 3]), 2)
    assert found.tolist() == [[1, 1, 1, 2, 3], [1, 2, 3, 3, 3], [9, 9, 9, 9, 9]]


def test_constant_dimensions_do_no_harm(tmp_path: Path) -> None:
    frames = np.stack([np.arange(20), np.full(20, 5)], axis=1)
    with FrameWriter(tmp_path / "features.npy") as writer:
        writer.append("u", frames)
    _, store = _fit(tmp_path, dims=2)
    assert np.isfinite(store.data).all() and store.data[:, 1].std() < 1e-5


def test_too_many_dims_name_the_key(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy")
    with pytest.raises(UserError, match=r"pca\.dims \(7\) exceeds the 6 dimensions"):
        _fit(tmp_path, dims=7)
    assert not list(tmp_path.glob("*pca*"))


def test_a_model_of_other_features(tmp_path: Path) -> None:
    _features(tmp_path / "features.npy")
    other = {"mean": np.zeros(7), "scale": np.ones(7), "components": np.eye(7)}
    save_file({name: value.astype(np.float32) for name, value in other.items()}, tmp_path / "pca.safetensors")
    with pytest.raises(UserError, match=r"pca\.safetensors was fitted on other features"):
        apply_pca(
            features=tmp_path / "features.npy",
            pca=tmp_path / "pca.safetensors",
            projected=tmp_path / "projected.npy",
        )
    assert not list(tmp_path.glob("*projected*"))


def test_half_precision_as_hidden_states_are_stored(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(size=(sum(LENGTHS), 70)).astype(np.float16)
    found = []
    for dtype in ("float16", "float32"):
        (tmp_path / dtype).mkdir()
        with FrameWriter(tmp_path / dtype / "features.npy", dtype=dtype) as writer:
            for number, part in enumerate(np.split(frames, np.cumsum(LENGTHS)[:-1])):
                writer.append(f"u{number}", part)
        found.append(_fit(tmp_path / dtype, dims=5, context=1)[1])
    assert found[0].data.dtype == np.float32
    np.testing.assert_array_equal(found[0].data, found[1].data)
