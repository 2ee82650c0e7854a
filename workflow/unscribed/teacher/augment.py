"""Augmentation of spoken text: what differs between a synthesiser in silence and people in rooms.

Every utterance draws its own factors; ranges were found on one natural voice with its references in sight, and are wide
on purpose: the teacher has to hear other voices, rooms and microphones than any that a corpus was tuned on.
Dimensions: B utterances of a batch, T frames, M mel bins.
"""

import torch
from torch import Tensor

from unscribed.acoustic.network_training import Batch, stretched
from unscribed.teacher.spectrum import floored, normalised, peaks, smoothed, warped

STRETCHES = (0.75, 1.3)  # of time
WARPS = (0.8, 1.3)  # of frequency: children to large men
CONTRASTS = (0.75, 1.15)  # of the log spectrum around its peak: compression by codecs and microphones
FLOORS = (6.0, 16.0)  # nats below the peak, from noisy rooms to studios
EQUALISER, COSINES = 1.0, 5  # deviation in nats of each of the smooth curve's cosines: rooms and microphones
NOISES, TILTS = (4.0, 16.0), (-3.0, 3.0)  # nats of a noise below the peak, and its slope from lowest to highest bin
SMEARS = 3  # frames, at most, over which a spectrum is averaged: reverberation
MASKED_BINS = 8  # the widest band that is hidden: no phone may hang on one band
# Of hidden states, after mean and deviation of each dimension are removed: deviation of noise, share that is hidden.
STATE_NOISE, HIDDEN_STATES = 0.3, 0.1


class Draws:
    """Random factors, one per utterance, from a generator on the CPU: the same on every device."""

    def __init__(self, size: int, device: torch.device, generator: torch.Generator) -> None:
        self.size, self.device, self.generator = size, device, generator

    def between(self, limits: tuple[float, float]) -> Tensor:
        """Draw (B,) uniformly."""
        low, high = limits
        return (low + (high - low) * torch.rand(self.size, generator=self.generator)).to(self.device)

    def below(self, limit: int) -> Tensor:
        """Draw whole numbers (B,) from 0 to `limit` - 1."""
        return torch.randint(limit, (self.size,), generator=self.generator).to(self.device)

    def normal(self, count: int) -> Tensor:
        """Draw (B, count) from a normal distribution."""
        return torch.randn(self.size, count, generator=self.generator).to(self.device)


def augmented(x: Tensor, labels: Tensor, lengths: Tensor, sample_rate_hz: int, generator: torch.Generator) -> Batch:
    """Return what the network sees of log-mel spectra `x` (B, T, M) in nats, with the labels (B, T) and new lengths."""
    draws = Draws(len(x), x.device, generator)
    x, labels, lengths = stretched(x, labels, lengths, draws.between(STRETCHES))
    x = smeared(warped(x, draws.between(WARPS), sample_rate_hz), lengths, 1 + draws.below(SMEARS))
    x = x + equaliser(draws.normal(COSINES), x.shape[2])
    top = peaks(x, lengths)
    x = top + draws.between(CONTRASTS)[:, None, None] * (x - top)
    x = noisy(x, top, draws.between(NOISES), draws.between(TILTS))
    x = normalised(smoothed(floored(x, lengths, draws.between(FLOORS))), lengths)
    return banded(x, draws.below(x.shape[2]), draws.below(MASKED_BINS + 1)), labels, lengths


def augmented_states(x: Tensor, labels: Tensor, lengths: Tensor, generator: torch.Generator) -> Batch:
    """Return what the network sees of hidden states `x` (B, T, D), with the labels (B, T) and new lengths.

    How a state changes with voice or room is not known: they are stretched in time, made noisy, and some dimensions of
    each utterance are hidden.
    """
    draws = Draws(len(x), x.device, generator)
    x, labels, lengths = stretched(x, labels, lengths, draws.between(STRETCHES))
    x = normalised(x, lengths)
    x = x + STATE_NOISE * torch.randn(x.shape, generator=generator).to(x.device)
    kept = torch.rand(len(x), 1, x.shape[2], generator=generator).to(x.device) >= HIDDEN_STATES
    return x * kept, labels, lengths


def equaliser(weights: Tensor, bins: int) -> Tensor:
    """Return smooth curves over the bins, (B, 1, M), from the weights (B, C) of their cosines."""
    places = (torch.arange(bins, device=weights.device) + 0.5) / bins
    orders = torch.arange(1, weights.shape[1] + 1, device=weights.device)
    return (EQUALISER * weights @ torch.cos(torch.pi * orders[:, None] * places))[:, None]


def noisy(x: Tensor, top: Tensor, levels: Tensor, tilts: Tensor) -> Tensor:
    """Add a steady noise `levels` (B,) nats below the peaks `top` (B, 1, 1), with `tilts` (B,) nats of slope."""
    slope = torch.linspace(-0.5, 0.5, x.shape[2], device=x.device)
    return torch.logaddexp(x, top - levels[:, None, None] + tilts[:, None, None] * slope)


def smeared(x: Tensor, lengths: Tensor, widths: Tensor) -> Tensor:
    """Average each frame with those before it, `widths` (B,) frames in all (1: nothing changes)."""
    total, count = x, torch.ones_like(x[..., :1])
    for back in range(1, SMEARS):
        earlier = torch.cat([x[:, :1].expand(-1, back, -1), x[:, :-back]], dim=1)[:, : x.shape[1]]
        taken = (widths > back).to(x.dtype)[:, None, None]
        total, count = total + taken * earlier, count + taken
    return total / count


def banded(x: Tensor, firsts: Tensor, widths: Tensor) -> Tensor:
    """Hide `widths` (B,) bins from `firsts` (B,) on."""
    places = torch.arange(x.shape[2], device=x.device)[None]
    hidden = (places >= firsts[:, None]) & (places < (firsts + widths)[:, None])
    return x.masked_fill(hidden[:, None], 0.0)
