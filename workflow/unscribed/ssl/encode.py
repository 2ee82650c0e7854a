"""Compute the hidden states of a checkpoint in batches; padding and the other utterances do not change a result.

Dimensions: B utterances, N samples, C channels of the CNN encoder, T frames, D dimensions of the hidden states.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from unscribed.ssl.checkpoint import Checkpoint, check_layer, load
from unscribed.ssl.waveform import frames_of, mask_of, normalized


class Wav2vecEncoder:
    """The SpeechEncoder of the feature kind `wav2vec`: one layer of wav2vec 2.0, HuBERT or WavLM."""

    def __init__(self, checkpoint: Checkpoint, layer: int) -> None:
        self.checkpoint, self.layer = checkpoint, layer
        self.name, self.sample_rate_hz, self.dims = checkpoint.name, checkpoint.sample_rate_hz, checkpoint.dims
        self.hop_samples = checkpoint.hop_samples
        self.receptive_field_samples = checkpoint.receptive_field_samples

    def identity(self) -> list[Any]:
        """The model's configuration, its files of weights (name, size, time), and whether audio is normalised."""
        weights = [
            (path.name, path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.checkpoint.folder.glob("*.safetensors")
        ]
        return [self.checkpoint.model.config.to_dict(), sorted(weights), self.checkpoint.normalize]

    def start(self, device: torch.device) -> None:
        """Drop the blocks behind the layer, to save memory, and move the model to `device`."""
        model = self.checkpoint.model
        model.encoder.layers = model.encoder.layers[: max(1, self.layer)]
        model.to(device)

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """Normalise an utterance (N,) if the checkpoint expects it."""
        return normalized(samples) if self.checkpoint.normalize else samples

    def frames(self, waves: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The hidden states (B, T, D) of the layer, and the number of valid frames (B,)."""
        return hidden_states(self.checkpoint, waves, lengths, self.layer)


def wav2vec_encoder(checkpoint: str, layer: int, sample_rate_hz: int) -> Wav2vecEncoder:
    """Load a layer of a checkpoint. Raises UserError as `load` and `check_layer` do."""
    loaded = load(checkpoint, sample_rate_hz)
    check_layer(loaded, layer)
    return Wav2vecEncoder(loaded, layer)


@torch.inference_mode()
def hidden_states(
    checkpoint: Checkpoint, waves: torch.Tensor, lengths: torch.Tensor, layer: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states (B, T, D) float32 of `waves` (B, N), whose valid samples are `lengths` (B,), and valid frames (B,).

    Layer 0 is the input of the first block, layer n the output of the n-th block, as in transformers'
    hidden_states[n]; later blocks are not computed, and the layer norm that some models have behind the last block is
    not applied. Every utterance needs at least the receptive field in samples. On a GPU, matrix products are in half
    precision.
    """
    model = checkpoint.model
    device = next(model.parameters()).device
    waves, lengths = waves.to(device), lengths.to(device)
    mask = mask_of(lengths, waves.shape[1]).long()
    # float16, not bfloat16: these models were trained in it, and the frame store is float16 as well
    half = torch.autocast("cuda", torch.float16, enabled=device.type == "cuda")
    with _stop_at(model, layer) as states, float32_residuals(model), valid_statistics(model, lengths), half:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # torch's, that WavLM passes masks of two data types
                model(waves, attention_mask=mask)
        except _Stop:
            pass
    return states[0].float(), frames_of(lengths, checkpoint.kernels, checkpoint.strides)


class _Stop(Exception):
    """Ends a forward pass once the wanted states are computed."""


@contextmanager
def _stop_at(model: PreTrainedModel, layer: int) -> Iterator[list[torch.Tensor]]:
    """Yield a list to which a forward pass of `model` adds the states of `layer`, and then ends with _Stop.

    Stopping needs no change of the model, such as removing blocks and the norm behind the last one, and what the
    blocks share (WavLM's position bias) is computed as the model does it.
    """
    states: list[torch.Tensor] = []

    def enter(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        states.append(inputs[0])
        raise _Stop

    def leave(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)
        raise _Stop

    blocks = model.encoder.layers
    hook = blocks[layer - 1].register_forward_hook(leave) if layer else blocks[0].register_forward_pre_hook(enter)
    try:
        yield states
    finally:
        hook.remove()


@contextmanager
def float32_residuals(model: PreTrainedModel) -> Iterator[None]:
    """Keep the residual stream of the blocks in float32 while their matrix products are in half precision.

    Each block adds to the residuals; in half precision, large values would round off what it adds, or overflow.
    """

    def widen(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0].float(), *inputs[1:])

    hook = model.encoder.register_forward_pre_hook(widen)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def valid_statistics(model: PreTrainedModel, lengths: torch.Tensor) -> Iterator[None]:
    """Leave padding, behind `lengths` (B,) samples, out of the group norm that follows base models' first convolution.

    Its mean and variance are over all frames: with the padding, they would depend on the longest utterance of the
    batch. Models without a group norm stay as they are.
    """
    first = model.feature_extractor.conv_layers[0]
    norm = getattr(first, "layer_norm", None)
    if not isinstance(norm, nn.GroupNorm):
        yield
        return
    frames = frames_of(lengths, model.config.conv_kernel[:1], model.config.conv_stride[:1])
    first.layer_norm = ValidGroupNorm(norm, frames)
    try:
        yield
    finally:
        first.layer_norm = norm


class ValidGroupNorm(nn.Module):
    """A group norm with one channel per group, as in wav2vec 2.0, over the first `frames` (B,) frames only."""

    def __init__(self, norm: nn.GroupNorm, frames: torch.Tensor) -> None:
        super().__init__()
        self.norm, self.frames = norm, frames.tolist()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Normalise `values` (B, C, T); results behind the valid frames have no meaning."""
        with torch.autocast(values.device.type, enabled=False):
            values = values.float()
            # Row by row: a mask would need several passes over the largest tensor of the whole model.
            moments = [
                torch.var_mean(row[:, :count], dim=1, correction=0)
                for row, count in zip(values, self.frames, strict=True)
            ]
            variance, mean = (torch.stack(moment) for moment in zip(*moments, strict=True))  # (B, C)
            scale = torch.rsqrt(variance + self.norm.eps) * self.norm.weight
            shift = self.norm.bias - mean * scale
            return torch.addcmul(shift[..., None], values, scale[..., None])
