"""The generator: one convolution from segments (wav2vec-U 1) or frames (2) to logits of phones, for N runs at once.

Version 2 adds a batch normalisation of large scale, a linear residual layer, a stride, and a linear layer that predicts
pseudo-labels from what the residual layer adds (wav2vec-U 2.0, section 3).
Dimensions: N runs, B batch, S segments or frames, D features, V phones, K taps, L pseudo-labels.
"""

from dataclasses import dataclass

import torch

from unscribed.gan.layers import convolve, mask_of, multiply, uniform

Tensor = torch.Tensor
Weights = dict[str, Tensor]

MOMENTUM = 0.1  # of the running statistics of the batch normalisation, torch's default
EPSILON = 1e-5  # added to the variance, torch's default


@dataclass(frozen=True)
class Shape:
    """Sizes of the network, the same for all runs that train together."""

    dims: int
    phones: int
    kernel: int
    stride: int
    residual: bool
    targets: int  # number of pseudo-labels of the auxiliary loss; 0 without it


def init_generator(shape: Shape, scale: float, generators: list[torch.Generator]) -> Weights:
    """Draw weights of N generators; `scale` is the initial scale of the batch normalisation, 0 to leave it out."""
    weights = {"conv": uniform((shape.kernel, shape.dims, shape.phones), shape.kernel * shape.dims, generators)}
    runs = len(generators)
    if scale:
        weights["norm_scale"] = torch.full((runs, shape.dims), scale)
        weights["norm_bias"] = torch.zeros(runs, shape.dims)
    if shape.residual:
        weights["residual"] = uniform((shape.dims, shape.dims), shape.dims, generators)
        weights["residual_bias"] = uniform((shape.dims,), shape.dims, generators)
    if shape.targets:
        weights["targets"] = uniform((shape.dims, shape.targets), shape.dims, generators)
        weights["targets_bias"] = uniform((shape.targets,), shape.dims, generators)
    return weights


def init_statistics(shape: Shape, runs: int) -> Weights:
    """Return the initial running mean and variance (N, D) of the batch normalisation; they are not trained."""
    return {"mean": torch.zeros(runs, shape.dims), "variance": torch.ones(runs, shape.dims)}


@dataclass(frozen=True)
class Generated:
    """Logits (N, B, ceil(S / stride), V), lengths (N, B), and logits of pseudo-labels (N, B, S, L) if there are any."""

    logits: Tensor
    lengths: Tensor
    target_logits: Tensor | None


def generate(
    weights: Weights,
    statistics: Weights,
    stride: int,
    features: Tensor,
    lengths: Tensor,
    masks: tuple[Tensor, ...] | None,
) -> Generated:
    """Compute logits for features (N, B, S, D), zero where padded, with `lengths` (N, B).

    Training passes dropout `masks` (N, B, S, D), already scaled by 1 / (1 - rate): one for the input of the convolution
    and one for the residual layer, if there is one. It normalises by the batch and updates `statistics` in place.
    Evaluation passes None and normalises by `statistics`. Logits beyond the lengths are not zero: mask them.
    """
    inside = mask_of(lengths, features.shape[2])[..., None]
    x, target_logits = features, None
    if "norm_scale" in weights:
        x = _normalized(weights, statistics, x, inside, masks is not None)
    if "residual" in weights:
        dropped = x if masks is None else x * masks[1]
        added = multiply(dropped, weights["residual"]) + weights["residual_bias"][:, None, None]
        if "targets" in weights:
            target_logits = multiply(added, weights["targets"]) + weights["targets_bias"][:, None, None]
        x = (x + added) * inside
    if masks is not None:
        x = x * masks[0]
    return Generated(convolve(x, weights["conv"], stride), -(-lengths // stride), target_logits)


def _normalized(weights: Weights, statistics: Weights, x: Tensor, inside: Tensor, training: bool) -> Tensor:
    """Batch normalisation over the frames inside the utterances of each run's batch; padding stays zero."""
    if training:
        count = inside.sum((1, 2)).clamp_min(1)  # (N, 1)
        mean = x.sum((1, 2)) / count  # padding is zero
        variance = ((x - mean[:, None, None]).square() * inside).sum((1, 2)) / count
        unbiased = variance * count / (count - 1).clamp_min(1)
        statistics["mean"].lerp_(mean, MOMENTUM)
        statistics["variance"].lerp_(unbiased, MOMENTUM)
    else:
        mean, variance = statistics["mean"], statistics["variance"]
    scale = weights["norm_scale"] * torch.rsqrt(variance + EPSILON)
    shift = weights["norm_bias"] - mean * scale
    return (x * scale[:, None, None] + shift[:, None, None]) * inside
