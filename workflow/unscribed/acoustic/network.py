"""A convolutional frame classifier: the network of the teacher, and that of the steps of self-training.

Dimensions: B utterances of a batch, T frames, D features of a frame, J output frames, C channels, V phones.
"""

import torch
from torch import Tensor, nn

from unscribed.ssl.waveform import mask_of

KERNEL = 5  # frames seen by each convolution
DILATIONS = (1, 1, 2, 2)  # of the residual convolutions, which together see 0.5 s where an output comes every 20 ms
MOMENTUM = 0.1  # of the running statistics


class MaskedNorm(nn.Module):
    """Batch norm over the frames of utterances, not over their padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise x (B, C, J), of which mask (B, 1, J) float marks the frames; in training, by their statistics."""
        mean, variance = self.mean, self.variance
        if self.training:
            count = mask.sum()
            mean = (x * mask).sum((0, 2)) / count
            variance = ((x - mean[:, None]).square() * mask).sum((0, 2)) / count
            with torch.no_grad():
                self.mean.lerp_(mean, MOMENTUM)
                self.variance.lerp_(variance, MOMENTUM)
        scale = self.weight * torch.rsqrt(variance + 1e-5)
        return (x - mean[:, None]) * scale[:, None] + self.bias[:, None]


class Block(nn.Module):
    """A convolution with its norm; the residual ones are added to their input."""

    def __init__(
        self, width: int, channels: int, dropout: float, *, residual: bool, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        padding = dilation * (KERNEL // 2)
        self.conv = nn.Conv1d(width, channels, KERNEL, stride=stride, dilation=dilation, padding=padding)
        self.norm = MaskedNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the output (B, C, J), of which mask (B, 1, J) float marks the frames; zero behind them."""
        y = nn.functional.gelu(self.norm(self.conv(x), mask)) * mask
        return x + self.dropout(y) if self.residual else y


class FrameNetwork(nn.Module):
    """Logits of phones every `stride` frames; those of an utterance do not depend on what is padded behind it."""

    def __init__(self, inputs: int, channels: int, phones: int, dropout: float, stride: int) -> None:
        super().__init__()
        self.sizes = {
            "inputs": inputs,
            "channels": channels,
            "phones": phones,
            "dropout": dropout,
            "stride": stride,
        }
        self.stride = stride
        first = Block(inputs, channels, 0.0, residual=False, stride=stride)
        others = [Block(channels, channels, dropout, residual=True, dilation=dilation) for dilation in DILATIONS]
        self.blocks = nn.ModuleList([first, *others])
        self.output = nn.Conv1d(channels, phones, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, J, V) of x (B, T, D), zero behind `lengths` (B,), and their lengths (B,)."""
        lengths = self.output_lengths(lengths)
        mask = output_mask(lengths)
        x = x[:, : self.stride * mask.shape[2]].transpose(1, 2)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(x).transpose(1, 2), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of output frames of utterances of `lengths` frames."""
        return (lengths + self.stride - 1) // self.stride


def output_mask(lengths: Tensor) -> Tensor:
    """Mark the output frames of utterances of `lengths` (B,) such frames, (B, 1, J) float."""
    return mask_of(lengths, int(lengths.max()))[:, None].float()
