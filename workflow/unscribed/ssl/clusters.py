"""The objective of HuBERT: name the cluster of masked frames from what is around them (arXiv 2106.07447, §3.1 and 3.2).

The clusters are made before the training (targets), so nothing can collapse and the first updates already learn sounds:
a model that hears hours, not months, comes much further than with the contrastive loss. Two deviations: a linear layer
in place of similarities to learned embeddings, and a weight of unmasked frames that is not zero.
Dimensions: B utterances of a batch, N samples, T frames, V clusters.
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
    """What the loss is made of; see the section `pretrain` of the configuration."""

    unmasked_weight: float


class ClusterModel(nn.Module):
    """HuBERT with its training loss; `model` is transformers' and loads anywhere."""

    measures = ("loss", "masked", "unmasked", "accuracy", "unmasked_accuracy")
    main = "masked"
    collapse = (
        "the model names nearly always the same of the clusters (set %s), and learns nothing: lower "
        "pretrain.learning_rate, or raise pretrain.unmasked_weight."
    )

    def __init__(self, model: HubertModel, objective: ClusterObjective, targets: Targets) -> None:
        super().__init__()
        self.model, self.objective, self.targets = model, objective, targets
        self.head = nn.Linear(model.config.hidden_size, targets.clusters)

    def prepare(self, waves: np.ndarray, masks: np.ndarray, _: np.random.Generator) -> np.ndarray:
        """The cluster of every frame, (B, T) int64, for `waves` (B, N) and `masks` (B, T)."""
        return self.targets(waves, masks.shape[1])

    def schedule(self, _: float) -> dict[str, float]:
        """What changes with the share of the updates that are done: nothing."""
        return {}

    def forward(self, waves: torch.Tensor, masks: torch.Tensor, clusters: torch.Tensor) -> dict[str, torch.Tensor]:
        """Losses and measures of a batch whose utterances are equally long.

        `waves` (B, N) normalised; `masks` (B, T) bool; `clusters` (B, T) the true ones.

        Returns the total `loss` and its parts `masked` and `unmasked` (nats per frame); `accuracy` and
        `unmasked_accuracy` (shares of the frames); `usage` (1, V): how often each cluster is named for masked frames.
        """
        model = self.model
        hidden = model.feature_projection(model.feature_extractor(waves).transpose(1, 2))  # (B, T, D)
        hidden = torch.where(masks[..., None], model.masked_spec_embed.to(hidden.dtype), hidden)
        scores = self.head(model.encoder(hidden).last_hidden_state).float()  # (B, T, V)
        named = scores.argmax(dim=-1)
        losses = cross_entropy(scores.transpose(1, 2), clusters, reduction="none")  # (B, T)
        right = (named == clusters).float()
        parts = {"masked": _mean(losses, masks), "unmasked": _mean(losses, ~masks)}
        loss = parts["masked"] + self.objective.unmasked_weight * parts["unmasked"]
        parts |= {"accuracy": _mean(right, masks), "unmasked_accuracy": _mean(right, ~masks)}
        usage = one_hot(named[masks], self.targets.clusters).float().mean(dim=0, keepdim=True)
        return {"loss": loss} | {name: value.detach() for name, value in parts.items()} | {"usage": usage}


def _mean(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean of `values` (B, T) where `where` (B, T) says so; 0 if nowhere, as when spans cover all of a short batch."""
    return values[where].sum() / where.sum().clamp(min=1)
