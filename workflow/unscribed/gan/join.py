"""Join neighbouring segments with the same predicted phone into one position (wav2vec-U, section 3.2).

Dimensions: N runs, B batch, S segments, J joined positions, V phones.
"""

import torch

from unscribed.gan.layers import mask_of

Tensor = torch.Tensor


def joined_positions(logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Number the joined positions: that of each segment, (N, B, S), and how many there are, (N, B).

    `logits` (N, B, S, V), `lengths` (N, B) in segments. Numbers of padding are meaningless.
    """
    best = logits.argmax(-1)
    starts = torch.ones_like(best, dtype=torch.bool)
    starts[..., 1:] = best[..., 1:] != best[..., :-1]
    starts &= mask_of(lengths, best.shape[-1])
    return (starts.cumsum(-1) - 1).clamp_min(0), starts.sum(-1)


def sample(logits: Tensor, lengths: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Pick one segment of each joined position at random: logits (N, B, J, V) and lengths (N, B). For training.

    `draws` (N, B, S) are uniform numbers in [0, 1); the one at a position's first segment decides. Padding is zero.
    """
    number, joined = joined_positions(logits, lengths)
    inside = mask_of(lengths, logits.shape[2])
    width = int(joined.max())
    count = torch.zeros_like(joined)[..., None].expand(*joined.shape, width).contiguous()
    count.scatter_add_(-1, number, inside.long())
    first = count.cumsum(-1) - count  # (N, B, J)
    first = first.clamp_max(logits.shape[2] - 1)
    picked = first + (draws.gather(-1, first) * count).long()
    found = logits.gather(2, picked[..., None].expand(*picked.shape, logits.shape[-1]))
    return found * mask_of(joined, width)[..., None], joined


def mean(logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Average the logits of each joined position: (N, B, J, V), lengths (N, B), and positions of segments (N, B, S).

    For evaluation.
    """
    number, joined = joined_positions(logits, lengths)
    inside = mask_of(lengths, logits.shape[2])[..., None].to(logits.dtype)
    shape = (*joined.shape, int(joined.max()))
    total = logits.new_zeros(*shape, logits.shape[-1])
    total.scatter_add_(2, number[..., None].expand_as(logits), logits * inside)
    count = logits.new_zeros(shape).scatter_add_(2, number, inside[..., 0])
    return total / count.clamp_min(1)[..., None], joined, number
