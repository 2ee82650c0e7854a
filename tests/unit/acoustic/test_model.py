from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.settings import decode_settings
from safetensors.numpy import load_file, save_file
from torch import nn

from unscribed.acoustic import model as acoustic
from unscribed.acoustic.model import AcousticModel
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter

PHONES, DIMS, CONTEXT, HIDDEN = ["<SIL>", "a", "ɛ"], 4, 2, 7
WIDTH = DIMS * (2 * CONTEXT + 1)


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(PHONES)))


@pytest.fixture
def model(network: nn.Sequential) -> AcousticModel:
    weights = [parameter.detach().numpy() for parameter in network.parameters()]
    return AcousticModel(*weights, np.log([0.5, 0.3, 0.2]).astype(np.float32), PHONES, CONTEXT)


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    rng = np.random.default_rng(0)
    with FrameWriter(tmp_path / "frames.npy") as writer:
        for number, length in enumerate((9, 1, 30)):
            writer.append(f"u{number}", rng.normal(size=(length, DIMS)))
    return FrameStore(tmp_path / "frames.npy")


def _stacked(frames: np.ndarray) -> np.ndarray:
    """Each frame with its neighbours, the first and last repeated, computed frame by frame."""
    places = np.arange(len(frames))[:, None] + np.arange(-CONTEXT, CONTEXT + 1)
    return frames[places.clip(0, len(frames) - 1)].reshape(len(frames), WIDTH)


@pytest.mark.parametrize("chunk", [8192, 7])
def test_log_posteriors_are_those_of_the_network(
    model: AcousticModel, network: nn.Sequential, store: FrameStore, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(acoustic, "CHUNK", chunk)
    found = model.log_posteriors(store, 0, 3)
    with torch.no_grad():
        stacked = np.concatenate([_stacked(np.array(frames)) for _, frames in store])
        expected = network(torch.from_numpy(stacked)).log_softmax(dim=1).numpy()
    assert found.shape == (40, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.log_posteriors(store, 1, 3), found[9:], atol=1e-6)
    assert model.log_posteriors(store, 1, 1).shape == (0, 3)


def test_large_logits_do_not_overflow(model: AcousticModel, store: FrameStore) -> None:
    found = replace(model, output=1e4 * model.output).log_posteriors(store, 0, 3)
    assert np.isfinite(found).all() and found.max() <= 0


def test_scores_divide_by_the_weighted_prior(model: AcousticModel) -> None:
    settings = decode_settings(acoustic_scale=2, prior_weight=0.5)
    posteriors = np.log(np.array([[0.25, 0.25, 0.5]], dtype=np.float32))
    found = model.scores(posteriors, settings)
    expected = [[2 * np.log(posterior / prior**0.5) for posterior, prior in ((0.25, 0.5), (0.25, 0.3), (0.5, 0.2))]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype == np.float32


def test_round_trip(model: AcousticModel, tmp_path: Path) -> None:
    model.write(tmp_path / "model.safetensors")
    found = AcousticModel.read(tmp_path / "model.safetensors")
    for name in ("hidden", "hidden_bias", "output", "output_bias", "log_prior"):
        np.testing.assert_array_equal(getattr(found, name), getattr(model, name))
    assert found.phones == PHONES and found.context == CONTEXT
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_missing_or_damaged_file(model: AcousticModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    message = r"model\.safetensors is missing or damaged.*delete it and run the workflow again"
    with pytest.raises(UserError, match=message):
        AcousticModel.read(path)
    model.write(path)
    whole, tensors = path.read_bytes(), load_file(path)
    for content in (b"", b"not a model at all", whole[:40], whole[:-10]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            AcousticModel.read(path)
    good = {"phones": '["a"]', "context": "2"}
    for metadata in (None, {"phones": '["a"]'}, {**good, "context": "two"}, {**good, "phones": '["a"'}):
        save_file(tensors, path, metadata)
        with pytest.raises(UserError, match=message):
            AcousticModel.read(path)
    del tensors["log_prior"]
    save_file(tensors, path, good)
    with pytest.raises(UserError, match=message):
        AcousticModel.read(path)
