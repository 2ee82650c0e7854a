"""Hidden states of a checkpoint for many utterances at once: what an utterance gives alone, it gives in every batch.

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
from unscribed.ssl.waveform import frame_mask, frames_of, normalized


class Wav2vecEncoder:
    """The encoder of the kind wav2vec: a layer of wav2vec 2.0, HuBERT or WavLM."""

    def __init__(self, checkpoint: Checkpoint, layer: int) -> None:
        self.checkpoint, self.layer = checkpoint, layer
        self.name, self.sample_rate_hz, self.dims = checkpoint.name, checkpoint.sample_rate_hz, checkpoint.dims
        self.hop_samples = checkpoint.hop_samples
        self.receptive_field_samples = checkpoint.receptive_field_samples

    def identity(self) -> list[Any]:
        """Sizes, files of weights, and whether the audio is normalised."""
        weights = [
            (path.name, path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.checkpoint.folder.glob("*.safetensors")
        ]
        return [self.checkpoint.model.config.to_dict(), sorted(weights), self.checkpoint.normalize]

    def start(self, device: torch.device) -> None:
        """Leave out the later blocks, which would only take up memory, and move to `device`."""
        model = self.checkpoint.model
        model.encoder.layers = model.encoder.layers[: max(1, self.layer)]
        model.to(device)

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """An utterance (N,), normalised if the checkpoint wants it."""
        return normalized(samples) if self.checkpoint.normalize else samples

    def frames(self, waves: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The states (B, T, D) of the layer, and valid frames (B,)."""
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
    """The states (B, T, D) float32 behind `layer` blocks, and valid frames (B,), of `waves` (B, N) of these `lengths`.

    Layer 0 is the input of the first block, layer n the output of the n-th as it is handed on: transformers'
    hidden_states[n]. The later blocks are not computed, and the norm that some models have behind the last one is not
    applied. Every utterance needs at least the receptive field in samples. On a GPU the products are in half precision.
    """
    model = checkpoint.model
    device = next(model.parameters()).device
    waves, lengths = waves.to(device), lengths.to(device)
    mask = frame_mask(lengths, waves.shape[1]).long()
    # float16, not bfloat16: these models were trained in it, and the store keeps its precision
    half = torch.autocast("cuda", torch.float16, enabled=device.type == "cuda")
    with _reading(model, layer) as found, whole_residuals(model), valid_statistics(model, lengths), half:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of torch on the two kinds of masks that WavLM hands it
                model(waves, attention_mask=mask)
        except _Found:
            pass
    return found[0].float(), frames_of(lengths, checkpoint.kernels, checkpoint.strides)


class _Found(Exception):
    """Ends the pass through the model as soon as its result is there."""


@contextmanager
def _reading(model: PreTrainedModel, layer: int) -> Iterator[list[torch.Tensor]]:
    """A list that gets the states of `layer` in a pass through `model`, which then ends with _Found.

    To leave at the right moment spares any change of the model, such as cutting off blocks and taking away the norm
    behind the last one; what the blocks share (WavLM's position bias) stays the model's business.
    """
    found: list[torch.Tensor] = []

    def enter(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        found.append(inputs[0])
        raise _Found

    def leave(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        found.append(output[0] if isinstance(output, tuple) else output)
        raise _Found

    blocks = model.encoder.layers
    hook = blocks[layer - 1].register_forward_hook(leave) if layer else blocks[0].register_forward_pre_hook(enter)
    try:
        yield found
    finally:
        hook.remove()


@contextmanager
def whole_residuals(model: PreTrainedModel) -> Iterator[None]:
    """Keep the sums that run through the blocks in float32 when the products are in half precision.

    Each block adds to them; in half precision their large values would swallow what it adds, or overflow.
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
    """Let the group norm behind the first convolution of base models see only utterances of `lengths` (B,), no padding.

    It takes mean and variance over all frames: those of the padding would make the result depend on the longest
    utterance of the batch. Models without a group norm are left alone.
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
    """A group norm with one channel per group, as wav2vec 2.0's is, over the first `frames` (B,) frames alone."""

    def __init__(self, norm: nn.GroupNorm, frames: torch.Tensor) -> None:
        super().__init__()
        self.norm, self.frames = norm, frames.tolist()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Normalised `values` (B, C, T); what lies behind the valid frames has no meaning."""
        with torch.autocast(values.device.type, enabled=False):
            values = values.float()
            # row by row: masks would take several passes over the largest tensor of the whole model
            found = [
                torch.var_mean(row[:, :count], dim=1, correction=0)
                for row, count in zip(values, self.frames, strict=True)
            ]
            variance, mean = (torch.stack(moment) for moment in zip(*found, strict=True))  # (B, C)
            scale = torch.rsqrt(variance + self.norm.eps) * self.norm.weight
            shift = self.norm.bias - mean * scale
            return torch.addcmul(shift[..., None], values, scale[..., None])
