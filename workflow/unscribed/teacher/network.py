"""The teacher's network: a few residual convolutions over log-mel frames, with phones as output.

Dimensions: B utterances of a batch, T frames, M mel bins, J output frames (half of T), C channels, V phones.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


class Moments:
    """Mean and variance (C,) of all frames given so far."""

    def __init__(self) -> None:
        self.count: Tensor | float = 0.0
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, x: Tensor, mask: Tensor) -> None:
        """Add the frames that mask (B, 1, J) marks of x (B, C, J)."""
        self.count = self.count + mask.sum().double()
        self.total = self.total + (x * mask).double().sum((0, 2))
        self.squares = self.squares + ((x * mask).double().square()).sum((0, 2))

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.total / self.count

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.squares / self.count - self.mean.square()


class MaskedNorm(nn.Module):
    """Batch norm over the frames of utterances, not over their padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.moments: Moments | None = None
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise x (B, C, J), of which mask (B, 1, J) float marks the frames; in training, by their statistics."""
        mean, variance = self.mean, self.variance
        if self.moments is not None:
            self.moments.add(x, mask)
        if self.training:
            count = mask.sum()
            mean = (x * mask).sum((0, 2)) / count
            variance = ((x - mean[:, None]).square() * mask).sum((0, 2)) / count
            with torch.no_grad():
                self.mean.lerp_(mean, MOMENTUM)
                self.variance.lerp_(variance, MOMENTUM)
        scale = self.weight * torch.rsqrt(variance + 1e-5)
        return (x - mean[:, None]) * scale[:, None] + self.bias[:, None]

    @contextmanager
    def measuring(self) -> Iterator[Moments]:
        """Yield the moments of all that goes through meanwhile."""
        self.moments = Moments()
        try:
            yield self.moments
        finally:
            self.moments = None


class TeacherNetwork(nn.Module):
    """Logits of phones every STRIDE frames; those of an utterance do not depend on what is padded behind it."""

    def __init__(self, bins: int, channels: int, phones: int, dropout: float) -> None:
        super().__init__()
        self.sizes = {"bins": bins, "channels": channels, "phones": phones, "dropout": dropout}
        self.first = nn.Conv1d(bins, channels, KERNEL, stride=STRIDE, padding=KERNEL // 2)
        self.first_norm = MaskedNorm(channels)
        self.layers = nn.ModuleList(
            nn.Conv1d(channels, channels, KERNEL, dilation=dilation, padding=dilation * (KERNEL // 2))
            for dilation in DILATIONS
        )
        self.norms = nn.ModuleList(MaskedNorm(channels) for _ in DILATIONS)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Conv1d(channels, phones, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, J, V) of x (B, T, M), zero behind `lengths` (B,), and their lengths (B,)."""
        lengths = output_lengths(lengths)
        x = self.first(x.transpose(1, 2))
        mask = mask_of(lengths, x.shape[2])[:, None].to(x.dtype)
        x = nn.functional.gelu(self.first_norm(x, mask)) * mask
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + self.dropout(nn.functional.gelu(norm(layer(x), mask))) * mask
        return self.output(x).transpose(1, 2), lengths


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
        one = torch.ones(len(x), device=x.device)
        return self.network(seen(x, lengths, self.warp * one, self.floor * one, self.sample_rate_hz), lengths)

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
