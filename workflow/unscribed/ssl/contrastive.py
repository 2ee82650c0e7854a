"""The objective of wav2vec 2.0: find the true quantised latent of a masked frame among distractors (§3.2).

A forward pass through transformers' Wav2Vec2ForPreTraining that differs from its own in three points: only the masked
frames are quantised, as nothing else is a target; all similarities within an utterance are one product, from which
those of the distractors are gathered; and two terms of the published training (fairseq's wav2vec2 configuration) are
added: scaled gradients of the CNN encoder, and a penalty on the size of its output.

Dimensions: B utterances of a batch, N samples, T frames, C features of a latent, D features of a target, K distractors,
M masked frames of the utterance with the most, L masked frames of all utterances, G codebooks, V codes of a codebook.
Utterances of a batch are equally long, so nothing is padded; masks mark the frames that the model does not see.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, gumbel_softmax, one_hot
from transformers import Wav2Vec2ForPreTraining

from unscribed.ssl.masking import distractors

ANNEALED = 0.7  # share of the updates in which the Gumbel temperature falls to its last value, as in the published run
TINY = 1e-7  # added to probabilities in logarithms: without it, a code that is never used has an infinite gradient


@dataclass(frozen=True)
class Objective:
    """Weights and temperatures of the loss, from section `pretrain` of the configuration."""

    negatives: int
    contrastive_temperature: float
    diversity_weight: float
    features_penalty: float
    encoder_gradient: float
    gumbel_temperature: list[float]


class ContrastiveModel(nn.Module):
    """wav2vec 2.0 with its training loss; `model` is transformers' Wav2Vec2ForPreTraining, which is saved alone."""

    measures = ("loss", "contrastive", "diversity", "penalty", "accuracy")  # columns of the curves, from `forward`
    main = "contrastive"  # the measure that the log shows
    collapse = (
        "codebook %s has collapsed: nearly all frames get the same code, so the loss means nothing. Raise "
        "pretrain.diversity_weight, lower pretrain.learning_rate, or pretrain on more audio per update."
    )

    def __init__(self, model: Wav2Vec2ForPreTraining, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def prepare(self, _: np.ndarray, masks: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Draw distractors (B, M, K) for `masks` (B, T)."""
        return distractors(masks, self.objective.negatives, generator)

    def schedule(self, share: float) -> dict[str, float]:
        """The Gumbel temperature after this share of the updates: it falls exponentially to its last value."""
        first, last = self.objective.gumbel_temperature
        return {"temperature": first * (last / first) ** min(1.0, share / ANNEALED)}

    def forward(
        self, waves: torch.Tensor, masks: torch.Tensor, others: torch.Tensor, temperature: float
    ) -> dict[str, torch.Tensor]:
        """Compute the losses and measures of a batch.

        `waves` (B, N) normalised; `masks` (B, T) bool; `others` (B, M, K): the distractors, from masking.distractors.
        In evaluation mode nothing is random: each frame gets its most probable codes.

        Returns the total `loss` and its parts `contrastive` (nats per masked frame), `diversity` (0 to 1) and
        `penalty`; `accuracy`: the share of masked frames that are more similar to their target than to any distractor;
        `usage` (G, V): the mean probability of each code over the masked frames.
        """
        base, objective = self.model.wav2vec2, self.objective
        latents = _scaled_gradient(base.feature_extractor(waves), objective.encoder_gradient)
        penalty = latents.float().square().mean()
        hidden, latents = base.feature_projection(latents.transpose(1, 2))  # (B, T, D), (B, T, C)
        hidden = torch.where(masks[..., None], base.masked_spec_embed.to(hidden.dtype), hidden)
        context = base.encoder(hidden).last_hidden_state
        targets, codes, usage = self._quantized(latents[masks], temperature)
        logits = self._logits(self.model.project_hid(context[masks]), targets, codes, masks, others)
        contrastive = cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))
        diversity = 1 - perplexities(usage).mean() / usage.shape[1]
        loss = contrastive + objective.diversity_weight * diversity + objective.features_penalty * penalty
        accuracy = (logits[:, 0] > logits[:, 1:].amax(dim=1)).float().mean()
        parts = {"contrastive": contrastive, "diversity": diversity, "penalty": penalty, "accuracy": accuracy}
        return {"loss": loss} | {name: value.detach() for name, value in parts.items()} | {"usage": usage.detach()}

    def _quantized(self, latents: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Quantise masked latents (L, C): targets (L, D), codes (L, G) and mean use of the codes (G, V)."""
        quantizer = self.model.quantizer
        groups, size = quantizer.num_groups, quantizer.num_vars
        scores = quantizer.weight_proj(self.model.dropout_features(latents)).float().view(-1, groups, size)
        if self.training:
            chosen = gumbel_softmax(scores, tau=temperature, hard=True)
            usage = scores.softmax(dim=-1).mean(dim=0)
        else:
            chosen = one_hot(scores.argmax(dim=-1), size).to(scores)
            usage = chosen.mean(dim=0)
        entries = quantizer.codevectors.view(groups, size, -1)
        vectors = torch.einsum("lgv,gvd->lgd", chosen.to(entries), entries)
        return self.model.project_q(vectors.flatten(1)), chosen.argmax(dim=-1), usage

    def _logits(
        self,
        predicted: torch.Tensor,
        targets: torch.Tensor,
        codes: torch.Tensor,
        masks: torch.Tensor,
        others: torch.Tensor,
    ) -> torch.Tensor:
        """Similarities, divided by the temperature, of each masked frame with its target, then its distractors.

        Returns (L, 1 + K) float32. A distractor that has the codes of the target is left out of the loss (-inf).
        """
        totals = masks.sum(dim=1)
        present = torch.arange(others.shape[1], device=masks.device) < totals[:, None]  # (B, M), false: padding

        def by_utterance(rows: torch.Tensor) -> torch.Tensor:
            filled = rows.new_zeros(*present.shape, rows.shape[-1])
            filled[present] = rows
            return filled

        with torch.autocast(masks.device.type, enabled=False):
            left, right = (by_utterance(nn.functional.normalize(rows.float(), dim=-1)) for rows in (predicted, targets))
            similar = left @ right.transpose(1, 2) / self.objective.contrastive_temperature  # (B, M, M)
        chosen = by_utterance(codes)
        same = (chosen[:, :, None] == chosen[:, None, :]).all(dim=-1)
        true = similar.diagonal(dim1=1, dim2=2)
        apart = similar.masked_fill(same, -torch.inf).gather(2, others)
        return torch.cat([true[..., None], apart], dim=2)[present]


def perplexities(usage: torch.Tensor) -> torch.Tensor:
    """Perplexity of the use of each codebook, (G,) between 1 and V; `usage` (G, V) sums to 1 over V."""
    return (-(usage * (usage + TINY).log()).sum(dim=-1)).exp()


class _ScaleGradient(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a factor."""

    @staticmethod
    def forward(context, values, factor):  # type: ignore[no-untyped-def]
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context, gradient):  # type: ignore[no-untyped-def]
        return gradient * context.factor, None


def _scaled_gradient(values: torch.Tensor, factor: float) -> torch.Tensor:
    return values if factor == 1 else _ScaleGradient.apply(values, factor)
