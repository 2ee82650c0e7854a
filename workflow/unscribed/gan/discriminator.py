"""The discriminator: three causal convolutions and a mean over time, computed exactly but not layer by layer.

Published (wav2vec-U, section 3.2; fairseq's defaults: 384 dims, kernel 6) is conv(V, C), conv(C, C), GELU, conv(C,
1), mean. Four facts make it several times cheaper:
 - the first two have no nonlinearity between them, so they are one convolution of 2K - 1 taps from V to C channels;
   zero padding between them only changes its bias at the first K - 1 positions;
 - the mean of the last convolution is a dot product: a position is weighted by the sum of the taps whose outputs lie
   inside the sequence;
 - the gradient penalty needs the gradient at a point between text and audio. The convolution is linear, so its value
   there is interpolated from both ends, and the gradient is written out, so that nothing is differentiated twice;
 - text is one-hot: its convolution is a sum of rows of the weights.
Dimensions: N runs, B batch, T positions, V phones, C channels, K taps.
"""

import math
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from unscribed.gan.layers import mask_of, multiply, sum_taps, uniform, windows

Tensor = torch.Tensor
Weights = dict[str, Tensor]


class _GeluSlope(torch.autograd.Function):
    """The derivative of GELU, Φ(x) + x φ(x); its own derivative, for the backward pass, is φ(x) (2 - x²)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.special.ndtr(x) + x * _density(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * _density(x) * (2 - x * x)


class _SumOfRows(torch.autograd.Function):
    """Sums of K rows of a table (R, C) at places (M, K): (M, C). The last row, for padding, is zero."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.rows = len(table)
        return torch.nn.functional.embedding_bag(places, table, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        total = gradient.new_zeros(ctx.rows, gradient.shape[1])
        for tap in range(places.shape[1]):  # torch's own backward sorts, and takes several times as long
            total.index_add_(0, places[:, tap], gradient)
        return total, None


def _density(x: Tensor) -> Tensor:
    return torch.exp(x * x * -0.5) / math.sqrt(2 * math.pi)


def init_discriminator(phones: int, channels: int, kernel: int, generators: list[torch.Generator]) -> Weights:
    """Random weights of N discriminators: `embed` (N, K, V, C), `hidden` (N, K, C, C), `out` (N, K, C) and biases."""
    return {
        "embed": uniform((kernel, phones, channels), phones * kernel, generators),
        "embed_bias": uniform((channels,), phones * kernel, generators),
        "hidden": uniform((kernel, channels, channels), channels * kernel, generators),
        "hidden_bias": uniform((channels,), channels * kernel, generators),
        "out": uniform((kernel, channels), channels * kernel, generators),
        "out_bias": uniform((), channels * kernel, generators),
    }


class Discriminator:
    """N discriminators with their first two layers merged, for one update.

    Taps are in time order: the last one belongs to the present, the others to the past.
    """

    def __init__(self, weights: Weights) -> None:
        runs, self.kernel, phones, channels = weights["embed"].shape
        # products of all pairs of taps, then sums over the pairs with the same total delay
        left = weights["embed"].flatten(1, 2)
        right = weights["hidden"].transpose(1, 2).reshape(runs, channels, self.kernel * channels)
        pairs = torch.bmm(left, right).view(runs, self.kernel, phones, self.kernel, channels)
        self.merged = sum_taps(pairs.transpose(2, 3).reshape(runs, self.kernel, self.kernel, phones * channels))
        self.merged = self.merged.view(runs, 2 * self.kernel - 1, phones, channels)
        # at position t < K - 1, only the last t + 1 taps of the hidden layer see the first layer's bias
        steps = torch.einsum("nc,nkcd->nkd", weights["embed_bias"], weights["hidden"]).flip(1).cumsum(1)
        self.bias = steps + weights["hidden_bias"][:, None]  # (N, K, C)
        # tap j, counted from the last, serves the output j positions later: of a position with r outputs left, its own
        # included, taps 0 … min(r, K) - 1 count
        self.reach = weights["out"].flip(1).cumsum(1)  # (N, K, C)
        self.out_bias = weights["out_bias"]

    def preactivate(self, x: Tensor) -> Tensor:
        """Compute the input of the GELU for sequences x (N, B, T, V): (N, B, T, C), meaningless where padded."""
        padded = torch.nn.functional.pad(x, (0, 0, 2 * self.kernel - 2, 0))
        seen = windows(padded, 2 * self.kernel - 1).flatten(-2)
        return multiply(seen, self.merged.flatten(1, 2)) + self._bias(x.shape[2])

    def preactivate_text(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Compute the same for the one-hot vectors of tokens (N, B, T) with `lengths` (N, B)."""
        runs, batch, positions = tokens.shape
        taps, phones, channels = self.merged.shape[1:]
        device = tokens.device
        zero_row = runs * taps * phones
        first = torch.arange(runs, device=device)[:, None, None] * (taps * phones)
        known = torch.where(mask_of(lengths, positions), tokens + first, zero_row)
        seen = torch.nn.functional.pad(known, (taps - 1, 0), value=zero_row).unfold(-1, taps, 1)  # (N, B, T, 2K - 1)
        places = torch.where(seen < zero_row, seen + torch.arange(taps, device=device) * phones, zero_row)
        table = torch.nn.functional.pad(self.merged.reshape(zero_row, channels), (0, 0, 0, 1))
        found = _SumOfRows.apply(table, places.reshape(-1, taps)).view(runs, batch, positions, channels)
        return found + self._bias(positions)

    def _bias(self, positions: int) -> Tensor:
        """The merged bias at each position, (N, 1, T, C)."""
        rows = torch.arange(positions, device=self.bias.device).clamp_max(self.kernel - 1)
        return self.bias[:, rows][:, None]

    def score(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Compute the logit of each sequence, (N, B), from `preactivate` (N, B, T, C); high means fake."""
        weights = self._reached(lengths, hidden.shape[2])
        by_reach = multiply(torch.nn.functional.gelu(hidden), self.reach.transpose(1, 2))
        return (by_reach * weights).sum((2, 3)) + self.out_bias[:, None]

    def input_gradient(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Compute the gradient of `score` with respect to the sequences that gave `hidden`: (N, B, T, V)."""
        slope = _GeluSlope.apply(hidden) * multiply(self._reached(lengths, hidden.shape[2]), self.reach)
        spread = multiply(slope, self.merged.flatten(1, 2).transpose(1, 2))
        spread = spread.view(*spread.shape[:3], 2 * self.kernel - 1, -1)
        return sum_taps(spread)[:, :, 2 * self.kernel - 2 :]

    def _reached(self, lengths: Tensor, positions: int) -> Tensor:
        """One-hot row of `reach` for each position, divided by the length; zero for padding: (N, B, T, K)."""
        rest = lengths[..., None] - torch.arange(positions, device=lengths.device)
        row = (rest.clamp(1, self.kernel) - 1)[..., None]
        share = mask_of(lengths, positions).to(self.reach.dtype) / lengths.clamp_min(1)[..., None]
        empty = self.reach.new_zeros(*rest.shape, self.kernel)
        return empty.scatter_(-1, row, share[..., None])
