"""Training of the convolutional frame classifier, whatever its frames and labels are.

Dimensions: B utterances of a batch, T frames, D features of a frame, J output frames, V phones.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unscribed.acoustic.network import FrameNetwork
from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.ssl.waveform import mask_of

NO_LABEL = -100  # of frames behind the end, and of frames whose phone is not known: no loss, as in torch
WARMUP = 0.1  # share of the updates in which the learning rate rises
WEIGHT_DECAY = 0.01

Batch = tuple[Tensor, Tensor, Tensor]  # frames (B, T, D), the phone of each (B, T), lengths (B,)


def updates(
    network: FrameNetwork, batch: Callable[[np.random.Generator], Batch], settings: NetworkSettings, seed: int
) -> Iterator[Tensor]:
    """Train `network` in place by AdamW, with one cycle of the learning rate; yield the loss of every update.

    `batch` draws from a generator that depends on (seed, update) alone.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY)
    for update in range(settings.updates):
        x, labels, lengths = batch(np.random.default_rng([seed, update]))
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * one_cycle(update / settings.updates)
        network.train()
        loss = frame_loss(network, x, labels, lengths, settings.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        yield loss.detach()


def one_cycle(progress: float) -> float:
    """Return the share of the learning rate at `progress` (0 to 1): a linear rise, then half a cosine to zero."""
    if progress < WARMUP:
        return progress / WARMUP
    return 0.5 * (1 + float(np.cos(np.pi * (progress - WARMUP) / (1 - WARMUP))))


def frame_loss(network: FrameNetwork, x: Tensor, labels: Tensor, lengths: Tensor, smoothing: float) -> Tensor:
    """Compute the cross entropy of x (B, T, D) with labels (B, T), of which the network takes one per output."""
    logits, _ = network(x, lengths)
    wanted = labels.masked_fill(~mask_of(lengths, labels.shape[1]), NO_LABEL)[:, :: network.stride]
    return cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=NO_LABEL, label_smoothing=smoothing)


def crops(frames: list[np.ndarray], labels: list[np.ndarray], longest: int, generator: np.random.Generator) -> Batch:
    """Cut random parts of at most `longest` frames from utterances (T, D) with labels (T,), and pad them."""
    starts = [int(generator.integers(max(1, len(one) - longest + 1))) for one in frames]
    parts = [
        (torch.from_numpy(x[start : start + longest].astype(np.float32)), torch.from_numpy(y[start : start + longest]))
        for x, y, start in zip(frames, labels, starts, strict=True)
    ]
    lengths = torch.tensor([len(x) for x, _ in parts])
    padded = torch.nn.utils.rnn.pad_sequence([x for x, _ in parts], batch_first=True)
    targets = torch.nn.utils.rnn.pad_sequence([y for _, y in parts], batch_first=True, padding_value=NO_LABEL)
    return padded, targets, lengths


def stretched(x: Tensor, labels: Tensor, lengths: Tensor, factors: Tensor) -> Batch:
    """Make utterances x (B, T, D) and their `labels` (B, T) longer by `factors` (B,); also return the new lengths."""
    longer = (lengths * factors).round().long().clamp(min=1)
    step = (lengths - 1) / (longer - 1).clamp(min=1)
    places = torch.arange(int(longer.max()), device=x.device)[None] * step[:, None]
    places = torch.minimum(places, (lengths - 1)[:, None].to(places.dtype))
    frames = interpolated(x, places[..., None].expand(-1, -1, x.shape[2]), dim=1)
    return frames, labels.gather(1, places.round().long()), longer


def interpolated(x: Tensor, places: Tensor, dim: int) -> Tensor:
    """Take `x` at fractional `places` along `dim`, which must lie within it; both have the same other sizes."""
    low = places.floor().long()
    high = (low + 1).clamp(max=x.shape[dim] - 1)
    return torch.lerp(x.gather(dim, low), x.gather(dim, high), places - low)
