from pathlib import Path

import pytest
import torch
from transformers import (
    HubertConfig,
    HubertModel,
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

from unscribed.ssl.checkpoint import Checkpoint
from unscribed.ssl.encode import hidden_states, valid_statistics

SIZES = {
    **{"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32},
    **{"conv_dim": (8, 8), "conv_kernel": (10, 3), "conv_stride": (5, 2), "num_feat_extract_layers": 2},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
}
LARGE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
MODELS = {"wav2vec2": (Wav2Vec2Config, Wav2Vec2Model), "hubert": (HubertConfig, HubertModel)}
MODELS["wavlm"] = (WavLMConfig, WavLMModel)
LENGTHS = [400, 303, 173, 20]  # the last is one frame


def _checkpoint(kind: str, large: bool) -> Checkpoint:
    torch.manual_seed(0)
    config, model = MODELS[kind]
    made = model(config(**SIZES, **(LARGE if large else {}))).eval()
    for value in made.parameters():
        value.data += 0.3 * torch.randn_like(value)  # fresh biases are zero and fresh norms are one
    return Checkpoint(made, True, 16000, kind, Path(kind))


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Utterances of very different loudness, with noise in place of the zeros of their padding."""
    lengths = torch.tensor(LENGTHS)
    waves = torch.randn(len(LENGTHS), max(LENGTHS), generator=torch.Generator().manual_seed(1))
    return waves * torch.tensor([1.0, 0.01, 3.0, 0.3])[:, None], lengths


def _plain(model: PreTrainedModel, wave: torch.Tensor) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        return model(wave[None], output_hidden_states=True).hidden_states


@pytest.mark.parametrize("large", [False, True], ids=["base", "large"])
@pytest.mark.parametrize("kind", MODELS)
def test_each_utterance_gets_what_transformers_gives_it_alone(kind: str, large: bool) -> None:
    checkpoint, (waves, lengths) = _checkpoint(kind, large), _batch()
    alone = [_plain(checkpoint.model, wave[:length]) for wave, length in zip(waves, LENGTHS, strict=True)]
    for layer in range(4):
        states, frames = hidden_states(checkpoint, waves, lengths, layer)
        assert frames.tolist() == [39, 29, 16, 1] and states.shape == (4, 39, 16) and states.dtype == torch.float32
        for row, count, expected in zip(states, frames, alone, strict=True):
            torch.testing.assert_close(row[:count], expected[layer][0], rtol=1e-4, atol=1e-4)
    after = _plain(checkpoint.model, waves[0])  # the model is as it was
    assert len(after) == 4 and torch.equal(after[3], alone[0][3])


def test_later_blocks_are_not_computed() -> None:
    checkpoint, (waves, lengths) = _checkpoint("wavlm", large=True), _batch()
    expected = hidden_states(checkpoint, waves, lengths, 2)[0]
    checkpoint.model.encoder.layers = checkpoint.model.encoder.layers[:2]  # as extraction does, to save memory
    assert torch.equal(hidden_states(checkpoint, waves, lengths, 2)[0], expected)
    checkpoint.model.encoder.layers[1].forward = None
    hidden_states(checkpoint, waves, lengths, 1)


def test_group_norm_by_hand() -> None:
    model = _checkpoint("wav2vec2", large=False).model
    norm = model.feature_extractor.conv_layers[0].layer_norm
    with valid_statistics(model, torch.tensor([20])):  # 20 samples: 3 frames of the first convolution
        row = torch.full((1, 8, 5), 7.0)
        row[0, 0] = torch.tensor([1.0, 2.0, 3.0, 100.0, -100.0])
        found = model.feature_extractor.conv_layers[0].layer_norm(row)
    scaled = torch.tensor([-1.0, 0.0, 1.0]) / (2 / 3 + norm.eps) ** 0.5
    torch.testing.assert_close(found[0, 0, :3], scaled * norm.weight[0] + norm.bias[0])
    torch.testing.assert_close(found[0, 1], norm.bias[1].expand(5), rtol=0, atol=1e-3)  # of a constant: no variance
    assert model.feature_extractor.conv_layers[0].layer_norm is norm


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("large", [False, True], ids=["base", "large"])
@pytest.mark.parametrize("kind", MODELS)
def test_half_precision_on_a_gpu(kind: str, large: bool) -> None:
    checkpoint, (waves, lengths) = _checkpoint(kind, large), _batch()
    expected, frames = hidden_states(checkpoint, waves, lengths, 3)
    checkpoint.model.to("cuda")
    found = hidden_states(checkpoint, waves, lengths, 3)[0].cpu()
    assert found.dtype == torch.float32
    for row, other, count in zip(found, expected, frames, strict=True):
        error = (row[:count] - other[:count]).square().mean() / other[:count].square().mean()
        assert error.sqrt() < 1e-2
