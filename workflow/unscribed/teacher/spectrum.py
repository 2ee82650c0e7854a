"""What the teacher sees: log-mel spectra that hide who speaks, and where and with what microphone.

All functions take a padded batch `x` (B, T, M) with its `lengths` (B,), and return such a batch; what stands behind the
end of an utterance never changes what stands before it.
Dimensions: B utterances of a batch, T frames, M mel bins.
"""

import torch
from torch import Tensor

from unscribed.acoustic.network_training import interpolated
from unscribed.ssl.waveform import mask_of

CEPSTRA = 16  # of M: coarser loses vowels, finer keeps the harmonics of the pitch, which differ between voices
# Added to each bin's deviation before dividing by it, in nats: bins without speech would become loud noise.
DEVIATION_FLOOR = 0.3
MEL_BREAK_HZ = 700.0  # of the mel scale of HTK and torchaudio: mel = c * log(1 + f / 700)
NATS_PER_DB = 0.23026  # ln(10) / 10: the features are in dB, everything here in nats


def peaks(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the largest value of each utterance, (B, 1, 1)."""
    hidden = ~mask_of(lengths, x.shape[1])[..., None]
    return x.masked_fill(hidden, -torch.inf).amax(dim=(1, 2), keepdim=True)


def floored(x: Tensor, lengths: Tensor, floors: Tensor) -> Tensor:
    """Raise all values to at least `floors` (B,) nats below the utterance's peak: what is softer is mostly noise."""
    return torch.maximum(x, peaks(x, lengths) - floors[:, None, None])


def warped(x: Tensor, warps: Tensor, sample_rate_hz: int) -> Tensor:
    """Move the spectra up by the factors `warps` (B,), as of a shorter vocal tract; 1.0 changes nothing.

    A bin takes the value at its frequency divided by the factor, interpolated between bins.
    """
    bins = x.shape[2]
    top = torch.log1p(torch.tensor(sample_rate_hz / 2 / MEL_BREAK_HZ, device=x.device))
    centres = MEL_BREAK_HZ * torch.expm1(top * torch.arange(1, bins + 1, device=x.device) / (bins + 1))  # Hz, (M,)
    mels = torch.log1p(centres[None] / warps[:, None] / MEL_BREAK_HZ) / top * (bins + 1) - 1
    return interpolated(x, mels.clamp(0, bins - 1)[:, None].expand(-1, x.shape[1], -1), dim=2)


def smoothed(x: Tensor) -> Tensor:
    """Keep the first CEPSTRA cosines of every spectrum, which removes the harmonics of the pitch."""
    bins = x.shape[2]
    places = (torch.arange(bins, device=x.device) + 0.5) / bins
    cosines = torch.cos(torch.pi * torch.arange(CEPSTRA, device=x.device)[:, None] * places) * (2 / bins) ** 0.5
    cosines[0] /= 2**0.5
    return x @ (cosines.T @ cosines)


def normalised(x: Tensor, lengths: Tensor) -> Tensor:
    """Remove mean and deviation of each bin over the utterance; zero behind its end."""
    mask = mask_of(lengths, x.shape[1])[..., None].to(x.dtype)
    counts = lengths[:, None, None]
    mean = (x * mask).sum(1, keepdim=True) / counts
    variance = ((x - mean).square() * mask).sum(1, keepdim=True) / counts
    return (x - mean) / (variance.sqrt() + DEVIATION_FLOOR) * mask


def seen(x: Tensor, lengths: Tensor, warps: Tensor, floors: Tensor, sample_rate_hz: int) -> Tensor:
    """Return what the network sees of log-mel spectra in nats: warped, floored, smoothed, normalised."""
    return normalised(smoothed(floored(warped(x, warps, sample_rate_hz), lengths, floors)), lengths)
