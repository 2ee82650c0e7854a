"""The objective of HuBERT: predict the clusters of masked frames from the frames around them (arXiv 2106.07447, §3).

The clusters are made before the training (module targets), so there is no codebook that could collapse, and the first
updates already learn sounds: with hours of audio, not months, this learns much more than the contrastive loss. It
deviates from the paper in two things: a linear layer gives the scores, not similarities to learned embeddings, and the
loss of unmasked frames has a weight that is not zero.
Dimensions: B utterances of a batch, N samples, T frames, D hidden dimensions, V clusters. Utterances of a batch are
equally long, so nothing is padded; masks mark the frames that the model does not see.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from transformers import HubertModel

from unscribed.ssl.targets import Targets


@dataclass(frozen=True)
class ClusterObjective:
    """Weights of the loss, from section `pretrain` of the configuration."""

    unmasked_weight: float


class ClusterModel(nn.Module):
    """HuBERT with its training loss; `model` is transformers' HubertModel, which is saved alone."""

    measures = ("loss", "masked", "unmasked", "accuracy", "unmasked_accuracy")  # columns of the curves, from `forward`
    main = "masked"  # the measure that the log shows
    collapse = (
        "the model nearly always predicts the same few clusters (set %s), so it learns nothing: lower "
        "pretrain.learning_rate, or raise pretrain.unmasked_weight."
    )

    def __init__(self, model: HubertModel, objective: ClusterObjective, targets: Targets) -> None:
        super().__init__()
        self.model, self.objective, self.targets = model, objective, targets
        self.head = nn.Linear(model.config.hidden_size, targets.clusters)

    def prepare(self, waves: np.ndarray, masks: np.ndarray, _: np.random.Generator) -> np.ndarray:
        """Find the cluster of every frame, (B, T) int64, for `waves` (B, N) and `masks` (B, T)."""
        return self.targets(waves, masks.shape[1])

    def schedule(self, _: float) -> dict[str, float]:
        """No schedule: this objective does not change during training."""
        return {}

    def forward(self, waves: torch.Tensor, masks: torch.Tensor, clusters: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute the losses and measures of a batch.

        `waves` (B, N) normalised; `masks` (B, T) bool; `clusters` (B, T) the labels.

        Returns the total `loss` and its parts `masked` and `unmasked` (nats per frame); `accuracy` and
        `unmasked_accuracy` (shares of the masked and of the other frames); `usage` (1, V): the share of the masked
        frames for which each cluster is predicted.
        """
        model = self.model
        hidden = model.feature_projection(model.feature_extractor(waves).transpose(1, 2))  # (B, T, D)
        hidden = torch.where(masks[..., None], model.masked_spec_embed.to(hidden.dtype), hidden)
        scores = self.head(model.encoder(hidden).last_hidden_state).float()  # (B, T, V)
        predicted = scores.argmax(dim=-1)  # (B, T)
        losses = cross_entropy(scores.transpose(1, 2), clusters, reduction="none")  # (B, T)
        right = (predicted == clusters).float()
        parts = {"masked": _mean(losses, masks), "unmasked": _mean(losses, ~masks)}
        loss = parts["masked"] + self.objective.unmasked_weight * parts["unmasked"]
        parts |= {"accuracy": _mean(right, masks), "unmasked_accuracy": _mean(right, ~masks)}
        usage = one_hot(predicted[masks], self.targets.clusters).float().mean(dim=0, keepdim=True)
        return {"loss": loss} | {name: value.detach() for name, value in parts.items()} | {"usage": usage}


def _mean(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean of `values` (B, T) where `where` (B, T) is true; 0 if it never is (spans may mask all of a short batch)."""
    return values[where].sum() / where.sum().clamp(min=1)
