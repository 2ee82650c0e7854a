"""Runs of one predicted phone become one position (wav2vec-U, section 3.2: JOIN).

Dimensions: N runs, B batch, S segments, J joined positions, V phones.
"""

import torch

from unscribed.gan.layers import mask_of

Tensor = torch.Tensor


def run_numbers(logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The number of the run of equal predictions that each segment belongs to, (N, B, S), and how many there are.

    `logits` (N, B, S, V), `lengths` (N, B) in segments. Numbers of padding are meaningless.
    """
    best = logits.argmax(-1)
    starts = torch.ones_like(best, dtype=torch.bool)
    starts[..., 1:] = best[..., 1:] != best[..., :-1]
    starts &= mask_of(lengths, best.shape[-1])
    return (starts.cumsum(-1) - 1).clamp_min(0), starts.sum(-1)


def sample(logits: Tensor, lengths: Tensor, chance: Tensor) -> tuple[Tensor, Tensor]:
    """One segment of each run, every one equally likely: logits (N, B, J, V) and lengths (N, B). For training.

    `chance` (N, B, S) are uniform numbers in [0, 1); the one at the run's first segment decides. Padding is zero.
    """
    number, joined = run_numbers(logits, lengths)
    inside = mask_of(lengths, logits.shape[2])
    width = int(joined.max())
    count = torch.zeros_like(joined)[..., None].expand(*joined.shape, width).contiguous()
    count.scatter_add_(-1, number, inside.long())
    first = count.cumsum(-1) - count  # (N, B, J)
    first = first.clamp_max(logits.shape[2] - 1)
    picked = first + (chance.gather(-1, first) * count).long()
    found = logits.gather(2, picked[..., None].expand(*picked.shape, logits.shape[-1]))
    return found * mask_of(joined, width)[..., None], joined


def mean(logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The mean logits of each run (N, B, J, V), lengths (N, B), and the run numbers (N, B, S). For evaluation."""
    number, joined = run_numbers(logits, lengths)
    inside = mask_of(lengths, logits.shape[2])[..., None].to(logits.dtype)
    shape = (*joined.shape, int(joined.max()))
    total = logits.new_zeros(*shape, logits.shape[-1])
    total.scatter_add_(2, number[..., None].expand_as(logits), logits * inside)
    count = logits.new_zeros(shape).scatter_add_(2, number, inside[..., 0])
    return total / count.clamp_min(1)[..., None], joined, number
