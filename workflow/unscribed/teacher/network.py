"""The teacher's network: a few residual convolutions over log-mel frames, with phones as output.

Dimensions: B utterances of a batch, T frames, M mel bins, J output frames (half of T), C channels, V phones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.ssl.waveform import mask_of
from unscribed.teacher.spectrum import seen

KERNEL = 5  # frames seen by each convolution
STRIDE = 2  # input frames of 10 ms per output frame
DILATIONS = (1, 1, 2, 2)  # of the residual convolutions, which together see 0.5 s
MOMENTUM = 0.1  # of the running statistics
PLAIN_WARP, PLAIN_FLOOR = 1.0, 11.0  # where nothing was adapted: the middle of what is augmented


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
    """A convolution with its norm; of the same size as its input, it is added to that."""

    def __init__(self, width: int, channels: int, dropout: float, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (KERNEL // 2)
        self.conv = nn.Conv1d(width, channels, KERNEL, stride=stride, dilation=dilation, padding=padding)
        self.norm = MaskedNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.residual = stride == 1

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the output (B, C, J), of which mask (B, 1, J) float marks the frames; zero behind them."""
        y = nn.functional.gelu(self.norm(self.conv(x), mask)) * mask
        return x + self.dropout(y) if self.residual else y


class TeacherNetwork(nn.Module):
    """Logits of phones every STRIDE frames; those of an utterance do not depend on what is padded behind it."""

    def __init__(self, bins: int, channels: int, phones: int, dropout: float) -> None:
        super().__init__()
        self.sizes = {"bins": bins, "channels": channels, "phones": phones, "dropout": dropout}
        first = Block(bins, channels, 0.0, stride=STRIDE)
        others = [Block(channels, channels, dropout, dilation=dilation) for dilation in DILATIONS]
        self.blocks = nn.ModuleList([first, *others])
        self.output = nn.Conv1d(channels, phones, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, J, V) of x (B, T, M), zero behind `lengths` (B,), and their lengths (B,)."""
        lengths = output_lengths(lengths)
        mask = output_mask(lengths)
        x = x[:, : STRIDE * mask.shape[2]].transpose(1, 2)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(x).transpose(1, 2), lengths


def output_mask(lengths: Tensor) -> Tensor:
    """Mark the output frames of utterances of `lengths` (B,) such frames, (B, 1, J) float."""
    return mask_of(lengths, int(lengths.max()))[:, None].float()


def output_lengths(lengths: Tensor) -> Tensor:
    """Return the number of output frames of utterances of `lengths` frames."""
    return (lengths + STRIDE - 1) // STRIDE


@dataclass(frozen=True)
class Teacher:
    """A trained network, in eval mode, with its phones and the log of their prior (V,).

    It sees spectra moved by `warp` and cut `floor` nats below the peak.
    """

    network: TeacherNetwork
    phones: Sequence[str]
    log_prior: Tensor
    sample_rate_hz: int
    warp: float = PLAIN_WARP
    floor: float = PLAIN_FLOOR

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.log_prior.device

    def logits(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, J, V) of log-mel spectra x (B, T, M) in nats, and their lengths (B,)."""
        return self.network(self.view(x, lengths), lengths)

    def view(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what the network sees of log-mel spectra x (B, T, M) in nats."""
        one = torch.ones(len(x), device=x.device)
        return seen(x, lengths, self.warp * one, self.floor * one, self.sample_rate_hz)

    def write(self, path: Pathlike) -> None:
        """Write as safetensors, all but the weights in the metadata."""
        tensors = {name: value.detach().float().cpu().numpy() for name, value in self.network.state_dict().items()}
        about = {"sizes": self.network.sizes, "phones": list(self.phones)}
        about |= {name: getattr(self, name) for name in ("sample_rate_hz", "warp", "floor")}
        write_tensors(path, {**tensors, "log_prior": self.log_prior.cpu().numpy()}, about)

    @classmethod
    def read(cls, path: Pathlike, device: torch.device) -> "Teacher":
        """Read a teacher. Raises UserError if the file is missing or damaged."""
        with readable(path):
            tensors, about = read_tensors(path)
            values = {name: torch.from_numpy(value.copy()) for name, value in tensors.items()}
            log_prior = values.pop("log_prior").to(device)
            network = TeacherNetwork(**about.pop("sizes"))
            network.load_state_dict(values)
            return cls(network=network.eval().to(device), log_prior=log_prior, **about)
