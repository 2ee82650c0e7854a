"""The losses of wav2vec-U 1 and 2, each per run: N runs give a vector (N,).

Masks and lengths travel with the tensors: padding never changes a loss. Where the published code averages over
padding, too, or slices the gradient penalty to the shortest padded length, this module does what the papers say.
Dimensions: N runs, B batch, J joined positions, V phones.
"""

import torch
from torch.nn import functional

from unscribed.gan.discriminator import Discriminator
from unscribed.gan.layers import mask_of

Tensor = torch.Tensor


def adversarial(scores: Tensor, fake: bool) -> Tensor:
    """Binary cross entropy of the scores (N, B) against the class fake or real, mean over the batch: (N,).

    The discriminator wants audio to be fake and text to be real; the generator wants its audio to be taken for real
    (wav2vec-U, equation 2; fake is 1, real is 0).
    """
    return functional.softplus(-scores if fake else scores).mean(-1)


def gradient_penalty(discriminator: Discriminator, real: Tensor, fake: Tensor, lengths: Tensor, mix: Tensor) -> Tensor:
    """How far the discriminator's gradient between text and audio is from norm 1: (N,).

    `real` and `fake` (N, B, T, C) are what `Discriminator.preactivate` gave for pairs of sequences, cut to the shorter
    one's `lengths` (N, B); `mix` (N, B) is the share of `real`. As published, the norm is taken over **time**, for
    every phone, and (norm - 1)² is summed over the phones, which makes a penalty of 1.5 a large one (wav2vec-U,
    equation 3; Gulrajani et al. 2017).
    """
    share = mix[..., None, None]
    between = share * real + (1 - share) * fake
    gradient = discriminator.input_gradient(between, lengths)  # (N, B, T, V)
    # The derivative of the norm is undefined at zero; a phone no tap of the merged layers looks at would be there.
    norm = gradient.square().sum(2).clamp_min(1e-24).sqrt()
    return (norm - 1).square().sum(-1).mean(-1)


def smoothness(logits: Tensor, lengths: Tensor) -> Tensor:
    """Mean squared difference of neighbouring joined logits (N, B, J, V): (N,) (wav2vec-U, equation 4)."""
    inside = mask_of((lengths - 1).clamp_min(0), logits.shape[2] - 1)[..., None]
    difference = (logits[:, :, 1:] - logits[:, :, :-1]).square() * inside
    pairs = inside.sum((1, 2, 3)).clamp_min(1) * logits.shape[-1]
    return difference.sum((1, 2, 3)) / pairs


def diversity(probabilities: Tensor, lengths: Tensor) -> Tensor:
    """(V - perplexity of the batch's mean prediction) / V, zero if all phones are used alike: (N,).

    `probabilities` (N, B, J, V), zero where padded (wav2vec-U, equation 5, in the scaling of its code).
    """
    phones = probabilities.shape[-1]
    average = probabilities.sum((1, 2)) / lengths.sum(-1).clamp_min(1)[:, None]
    entropy = torch.special.entr(average).sum(-1)
    return (phones - entropy.exp()) / phones


def auxiliary(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Cross entropy of pseudo-labels (N, B, T) under logits (N, B, T, L): (N,) (wav2vec-U 2.0, section 3.3)."""
    inside = mask_of(lengths, logits.shape[2])
    losses = functional.cross_entropy(logits.permute(0, 3, 1, 2), targets, reduction="none")
    return (losses * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1)
