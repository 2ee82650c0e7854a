"""Convolutions of many runs at once, as batched matrix products.

A run is one generator with its discriminator; N of them train side by side, each with its own weights and its own
batch. Grouped convolutions would do the same, but are slow on CPUs and GPUs alike; here all taps of a convolution are
one matrix product per run, and the taps' shifts apply to its input or its output, whichever has fewer channels.
Dimensions: N runs, B batch, T positions, D inputs, C outputs, K taps.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

Tensor = torch.Tensor


class _Windows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: int) -> Tensor:
        return _gather(x, taps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _scatter(gradient), None


class _SumTaps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.taps = z.shape[-2]
        return _scatter(z)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _gather(gradient, ctx.taps)


def windows(x: Tensor, taps: int) -> Tensor:
    """Return all windows of `taps` positions of x (..., T + K - 1, D): (..., T, K, D)."""
    return _Windows.apply(x, taps)


def sum_taps(z: Tensor) -> Tensor:
    """Apply the adjoint of `windows`: add z[..., t, k, :] of z (..., T, K, D) at t + k: (..., T + K - 1, D)."""
    return _SumTaps.apply(z)


def _gather(x: Tensor, taps: int) -> Tensor:
    positions = x.shape[-2] - taps + 1
    return torch.stack([x[..., tap : tap + positions, :] for tap in range(taps)], dim=-2)


def _scatter(z: Tensor) -> Tensor:
    *lead, positions, taps, dims = z.shape
    total = z.new_zeros(*lead, positions + taps - 1, dims)
    for tap in range(taps):
        total[..., tap : tap + positions, :] += z[..., tap, :]
    return total


def multiply(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply x (N, B, T, D) by each run's weight (N, D, C): (N, B, T, C)."""
    runs, batch, positions, dims = x.shape
    return torch.bmm(x.reshape(runs, batch * positions, dims), weight).view(runs, batch, positions, -1)


def convolve(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Convolve x (N, B, T, D), zero outside the utterance, with a centred kernel `weight` (N, K, D, C).

    Returns (N, B, ceil(T / stride), C); output t is centred on input t * stride, an even kernel reaches one further to
    the right. Groups of `stride` inputs become one wide input, so that a stride costs no superfluous products.
    """
    runs, taps, dims, outputs = weight.shape
    groups = -(-taps // stride)
    positions = -(-x.shape[2] // stride)
    left = (taps - 1) // 2
    x = torch.nn.functional.pad(x, (0, 0, left, max(0, (positions + groups - 1) * stride - x.shape[2] - left)))
    wide = x[:, :, : (positions + groups - 1) * stride].reshape(runs, x.shape[1], -1, stride * dims)
    weight = torch.nn.functional.pad(weight, (0, 0, 0, 0, 0, groups * stride - taps))
    weight = weight.view(runs, groups, stride * dims, outputs).flip(1).transpose(1, 2)
    product = multiply(wide, weight.reshape(runs, stride * dims, groups * outputs))
    summed = sum_taps(product.view(*product.shape[:3], groups, outputs))
    return summed[:, :, groups - 1 : groups - 1 + positions]


def mask_of(lengths: Tensor, positions: int) -> Tensor:
    """Return which of T positions lie inside each sequence: lengths (...) to (..., T) bool."""
    return torch.arange(positions, device=lengths.device) < lengths[..., None]


def uniform(shape: tuple[int, ...], fan_in: int, generators: list[torch.Generator]) -> Tensor:
    """Draw initial weights of each run, (N, *shape), uniform within 1 / sqrt(fan_in), torch's bound in convolutions."""
    bound = fan_in**-0.5
    return torch.stack([torch.empty(shape).uniform_(-bound, bound, generator=one) for one in generators])
