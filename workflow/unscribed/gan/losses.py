"""The losses of wav2vec-U 1 and 2, each per run: N runs give a vector (N,).

COMPUTED says how each of the penalties is computed from what the turn of its side has at hand.
Masks and lengths travel with the tensors: padding never changes a loss. Where the published code averages over
padding, too, or slices the gradient penalty to the shortest padded length, this module does what the papers say.
Dimensions: N runs, B batch, S segments, J joined positions, V phones, L pseudo-labels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from unscribed.gan.discriminator import Discriminator
from unscribed.gan.layers import mask_of

Tensor = torch.Tensor


@dataclass(frozen=True)
class DiscriminatorTurn:
    """Text (`real`) and audio (`fake`) in pairs, (N, B, T, C), as `Discriminator.preactivate` gives them.

    Both are cut to the shorter one's `lengths` (N, B); `mix` (N, B) are random numbers in [0, 1).
    """

    discriminator: Discriminator
    real: Tensor
    fake: Tensor
    lengths: Tensor
    mix: Tensor


@dataclass(frozen=True)
class GeneratorTurn:
    """What the generator says of audio: joined `logits` and `probabilities`, (N, B, J, V), of `lengths` (N, B).

    Probabilities are zero where padded. With pseudo-labels, `targets` (N, B, S) of `frames` (N, B) and their
    `target_logits` (N, B, S, L).
    """

    logits: Tensor
    probabilities: Tensor
    lengths: Tensor
    frames: Tensor
    target_logits: Tensor | None = None
    targets: Tensor | None = None


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


# For each of PENALTIES. The turn is the one of the penalty's side.
COMPUTED: dict[str, Callable[..., Tensor]] = {
    "gradient_penalty": lambda turn: gradient_penalty(turn.discriminator, turn.real, turn.fake, turn.lengths, turn.mix),
    "smoothness": lambda turn: smoothness(turn.logits, turn.lengths),
    "diversity": lambda turn: diversity(turn.probabilities, turn.lengths),
    "auxiliary": lambda turn: auxiliary(turn.target_logits, turn.targets, turn.frames),
}
