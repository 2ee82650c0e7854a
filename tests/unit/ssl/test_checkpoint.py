import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    WavLMConfig,
    WavLMModel,
)

from unscribed.errors import UserError
from unscribed.ssl.checkpoint import check_layer, load

RATE = 16000
SIZES = {
    **{"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 5},
    **{"conv_dim": (8, 8), "conv_kernel": (10, 3), "conv_stride": (5, 2), "num_feat_extract_layers": 2},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
    **{"codevector_dim": 8, "proj_codevector_dim": 8, "num_codevectors_per_group": 4},
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    Wav2Vec2ForPreTraining(Wav2Vec2Config(**SIZES)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(original, tmp_path / "model"))


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_base_of_a_pretrained_model(original: Path, caplog: pytest.LogCaptureFixture, capfd) -> None:
    found = load(str(original), RATE)
    assert (found.kernels, found.strides, found.layers, found.dims) == ([10, 3], [5, 2], 3, 16)
    assert (found.receptive_field_samples, found.hop_samples) == (20, 10)
    assert (found.normalize, found.sample_rate_hz, found.name) == (False, RATE, str(original))
    assert not found.model.training and next(found.model.parameters()).dtype == torch.float32
    stored = load_file(original / "model.safetensors")
    torch.testing.assert_close(
        found.model.encoder.layers[2].attention.q_proj.weight,
        stored["wav2vec2.encoder.layers.2.attention.q_proj.weight"],
    )
    assert not caplog.text and capfd.readouterr() == ("", "")  # nothing on the heads that are left out


@pytest.mark.parametrize(
    ("config", "model"), [(Wav2Vec2Config, Wav2Vec2ForCTC), (HubertConfig, HubertModel), (WavLMConfig, WavLMModel)]
)
def test_other_models_and_no_preprocessor(config, model, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    model(config(**SIZES, do_stable_layer_norm=True, feat_extract_norm="layer")).half().save_pretrained(tmp_path)
    found = load(str(tmp_path), RATE)
    assert next(found.model.parameters()).dtype == torch.float32
    assert found.normalize and "normalised waveforms of 16000 Hz are assumed" in caplog.text


def test_the_preprocessor_within_a_processor(folder: Path) -> None:
    about = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": {**about, "sampling_rate": 8000}}))
    assert not load(str(folder), 8000).normalize


def test_older_names_and_weights_of_training_alone(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {}
    for name, value in tensors.items():
        for new, before in old.items():
            name = name.replace(new, before)
        if not name.endswith("masked_spec_embed"):
            renamed[name] = value
    assert any(name.endswith("weight_g") for name in renamed)
    save_file(renamed, path, {"format": "pt"})
    gain = load(str(folder), RATE).model.encoder.pos_conv_embed.conv.parametrizations.weight.original0
    key = "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0"
    torch.testing.assert_close(gain.data, tensors[key])


def test_names_that_are_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"^pretrain.start: there is no folder nobody/nothing .* correct the path.*`hf"):
        load("nobody/nothing", RATE, "pretrain.start")
    with pytest.raises(UserError, match=r"no folder /no/where .* no model on the Hugging Face hub can have that name"):
        load("/no/where", RATE)
    with pytest.raises(UserError, match=r"^features.checkpoint is empty"):
        load("", RATE)


def test_damaged_descriptions(folder: Path) -> None:
    config = folder / "config.json"
    _edit(config, model_type="bert")
    with pytest.raises(UserError, match=r"config.json describes a model of type bert: .* wav2vec2, hubert or wavlm"):
        load(str(folder), RATE)
    _edit(config, model_type="wav2vec2", hidden_size="many")
    with pytest.raises(UserError, match=r"config.json describes no wav2vec2 model .*hidden_size"):
        load(str(folder), RATE)
    _edit(config, hidden_size=32)
    with pytest.raises(UserError, match=r"weights of the encoder .* have other shapes than its config.json says"):
        load(str(folder), RATE)
    config.write_text('{"model_type": ')
    with pytest.raises(UserError, match=r"config.json is damaged .* download the checkpoint again"):
        load(str(folder), RATE)
    config.write_text("[]")
    with pytest.raises(UserError, match=r"config.json is damaged \(no JSON object\)"):
        load(str(folder), RATE)
    config.unlink()
    with pytest.raises(UserError, match=r"has no config.json, so it is no checkpoint"):
        load(str(folder), RATE)


def test_damaged_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: value for name, value in tensors.items() if "layers.1." not in name}, path, {"format": "pt"})
    with pytest.raises(UserError, match=r"17 weights of the encoder in .* are missing \(such as encoder.layers.1"):
        load(str(folder), RATE)
    save_file(tensors, path, {"format": "pt"})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"weights in .* are damaged or cut off"):
        load(str(folder), RATE)
    path.write_bytes(b"abc")
    with pytest.raises(UserError, match=r"weights in .* are damaged or cut off"):
        load(str(folder), RATE)
    path.unlink()
    with pytest.raises(UserError, match=r"has no model.safetensors"):
        load(str(folder), RATE)
    torch.save(tensors, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only as a pickle \(pytorch_model.bin\), .* refused: convert it"):
        load(str(folder), RATE)


def test_another_sampling_rate(folder: Path) -> None:
    with pytest.raises(UserError, match=r"for audio of 16000 Hz, but audio.sample_rate_hz is 8000: set audio.sample"):
        load(str(folder), 8000)


def test_layers_that_are_not_there(original: Path) -> None:
    found = load(str(original), RATE)
    check_layer(found, 3)
    with pytest.raises(UserError, match=r"features.layer: 4 is more than the 3 blocks .* choose 0 .* to 3"):
        check_layer(found, 4)
