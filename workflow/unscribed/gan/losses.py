"""The losses of wav2vec-U 1 and 2, each per run: N runs give a vector (N,).

COMPUTED has the function of each penalty, which takes the tensors of its side's turn.
Every function gets the lengths, so padding never changes a loss. Where the published code averages over padding, or
cuts the gradient penalty to the shortest padded length, this module follows the papers.
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
    """Pairs of text (`real`) and audio (`fake`), (N, B, T, C), both from `Discriminator.preactivate`.

    A pair is cut to the shorter one's length, `lengths` (N, B); `mix` (N, B) are random numbers in [0, 1).
    """

    discriminator: Discriminator
    real: Tensor
    fake: Tensor
    lengths: Tensor
    mix: Tensor


@dataclass(frozen=True)
class GeneratorTurn:
    """The generator's output for audio: joined `logits` and `probabilities`, (N, B, J, V), with `lengths` (N, B).

    Probabilities are zero where padded. `frames` (N, B) are the lengths of the generator's input; `targets` (N, B, S)
    are its pseudo-labels, if any, and `target_logits` (N, B, S, L) the logits for them.
    """

    logits: Tensor
    probabilities: Tensor
    lengths: Tensor
    frames: Tensor
    target_logits: Tensor | None = None
    targets: Tensor | None = None


def adversarial(scores: Tensor, fake: bool) -> Tensor:
    """Binary cross entropy of the scores (N, B) against the class fake (1) or real (0), mean over the batch: (N,).

    The discriminator learns to score audio as fake and text as real, the generator to have its audio scored as real
    (wav2vec-U, equation 2).
    """
    return functional.softplus(-scores if fake else scores).mean(-1)


def gradient_penalty(discriminator: Discriminator, real: Tensor, fake: Tensor, lengths: Tensor, mix: Tensor) -> Tensor:
    """Squared distance from 1 of the norm of the discriminator's gradient between text and audio: (N,).

    Arguments as in DiscriminatorTurn; `mix` is the share of `real`. As published, the norm is taken over **time**, for
    every phone, and (norm - 1)² is summed over the phones, which makes a weight of 1.5 a large one (wav2vec-U,
    equation 3; Gulrajani et al. 2017).
    """
    share = mix[..., None, None]
    between = share * real + (1 - share) * fake
    gradient = discriminator.input_gradient(between, lengths)  # (N, B, T, V)
    # The norm has no derivative at zero, where a phone would be that does not change the score.
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


# The function of each of PENALTIES; `turn` is a DiscriminatorTurn or a GeneratorTurn, by the side of the penalty.
COMPUTED: dict[str, Callable[..., Tensor]] = {
    "gradient_penalty": lambda turn: gradient_penalty(turn.discriminator, turn.real, turn.fake, turn.lengths, turn.mix),
    "smoothness": lambda turn: smoothness(turn.logits, turn.lengths),
    "diversity": lambda turn: diversity(turn.probabilities, turn.lengths),
    "auxiliary": lambda turn: auxiliary(turn.target_logits, turn.targets, turn.frames),
}
