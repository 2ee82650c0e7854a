"""The objective of wav2vec 2.0: tell the true quantised latent of a masked frame from distractors (§3.2).

A forward pass through transformers' Wav2Vec2ForPreTraining, with three things that its own lacks: quantisation of the
masked frames alone (nothing else is a target), all similarities of an utterance in one product, from which the
distractors are picked, and what the published training has beside the loss of the paper: scaled gradients of the CNN
encoder and a penalty on the size of its output (fairseq's wav2vec2 configuration).

Dimensions: B utterances of a batch, N samples, T frames, D features, M masked frames of the utterance with the most,
G codebooks, V codes of each, L masked frames of all utterances.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, gumbel_softmax, one_hot
from transformers import Wav2Vec2ForPreTraining

from unscribed.ssl.masking import distractors

ANNEALED = 0.7  # share of the updates after which the Gumbel temperature is at its last value, as in the published run
TINY = 1e-7  # the entropy of a code that is never used has no finite gradient


@dataclass(frozen=True)
class Objective:
    """What the loss is made of; see the section `pretrain` of the configuration."""

    negatives: int
    contrastive_temperature: float
    diversity_weight: float
    features_penalty: float
    encoder_gradient: float
    gumbel_temperature: list[float]


class ContrastiveModel(nn.Module):
    """wav2vec 2.0 with its training loss; `model` is transformers' and loads anywhere."""

    measures = ("loss", "contrastive", "diversity", "penalty", "accuracy")
    main = "contrastive"
    collapse = (
        "codebook %s has collapsed: nearly all frames get the same code, and the loss means nothing. Raise "
        "pretrain.diversity_weight, lower pretrain.learning_rate, or pretrain on more audio per update."
    )

    def __init__(self, model: Wav2Vec2ForPreTraining, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def prepare(self, _: np.ndarray, masks: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Distractors (B, M, K) for `masks` (B, T)."""
        return distractors(masks, self.objective.negatives, generator)

    def schedule(self, share: float) -> dict[str, float]:
        """The Gumbel temperature when this share of the updates is done: it falls exponentially to its last value."""
        first, last = self.objective.gumbel_temperature
        return {"temperature": first * (last / first) ** min(1.0, share / ANNEALED)}

    def forward(
        self, waves: torch.Tensor, masks: torch.Tensor, others: torch.Tensor, temperature: float
    ) -> dict[str, torch.Tensor]:
        """Losses and measures of a batch whose utterances are equally long.

        `waves` (B, N) normalised; `masks` (B, T) bool; `others` (B, M, K) as masking.distractors numbers them.
        In evaluation mode nothing is drawn at random and each frame has its likeliest codes.

        Returns the total `loss` and its parts `contrastive` (nats per masked frame), `diversity` (0 to 1) and
        `penalty`; `accuracy` (share of masked frames whose true latent is the nearest); `usage` (G, V): the mean
        probability of each code, over the masked frames.
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
        """Targets (L, D), codes (L, G) and mean use of the codes (G, V), of masked latents (L, C)."""
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
        """Scaled similarities of each masked frame with its target and its distractors, (L, 1 + K) float32.

        A distractor with the codes of the target is none: it counts nothing.
        """
        totals = masks.sum(dim=1)
        present = torch.arange(others.shape[1], device=masks.device) < totals[:, None]  # (B, M)

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
    """exp of the entropy of each codebook's use, (G,) between 1 and V; `usage` (G, V) sums to 1 over V."""
    return (-(usage * (usage + TINY).log()).sum(dim=-1)).exp()


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(context, values, factor):  # type: ignore[no-untyped-def]
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context, gradient):  # type: ignore[no-untyped-def]
        return gradient * context.factor, None


def _scaled_gradient(values: torch.Tensor, factor: float) -> torch.Tensor:
    return values if factor == 1 else _ScaleGradient.apply(values, factor)
