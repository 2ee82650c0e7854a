"""Adam for N runs at once, with a learning rate and a gradient norm for each.

Dimensions: N runs.
"""

from collections.abc import Iterable

import torch

Tensor = torch.Tensor

BETAS, EPSILON = (0.5, 0.98), 1e-6  # wav2vec-U's (fairseq's configuration w2vu.yaml)
MAX_NORM = 5.0  # a run's larger gradients are scaled down to this norm (w2vu.yaml: clip_norm)


class Adam:
    """Adam with decoupled weight decay; every tensor's first dimension is the run.

    Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, equation 12.
    """

    def __init__(self, weights: dict[str, Tensor], decay: float) -> None:
        self.weights, self.decay = weights, decay
        self.first = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.second = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        # the same number for every run, kept per run so that it is saved and selected as the moments are
        self.count = {"updates": torch.zeros(len(next(iter(weights.values()))))}

    def moments(self) -> dict[str, dict[str, Tensor]]:
        """The optimizer's own tensors, by group."""
        return {"first": self.first, "second": self.second, "count": self.count}

    def step(self, gradients: Iterable[Tensor], rates: Tensor) -> Tensor:
        """Update the weights in place with the learning rates (N,); return the gradient norm of each run, (N,).

        `gradients` are in the order of the weights. The norm is over all tensors, before its limitation to MAX_NORM.
        """
        gradients = list(gradients)
        norms = torch.stack([gradient.reshape(len(rates), -1).square().sum(1) for gradient in gradients]).sum(0).sqrt()
        clip = (MAX_NORM / (norms + 1e-6)).clamp_max(1.0)
        self.count["updates"] += 1
        updates = float(self.count["updates"][0])
        bias, bias_squared = 1 - BETAS[0] ** updates, 1 - BETAS[1] ** updates
        with torch.no_grad():
            for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
                along = (-1, *[1] * (weight.ndim - 1))
                gradient = gradient * clip.view(along)
                first = self.first[name].lerp_(gradient, 1 - BETAS[0])
                second = self.second[name].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                rate = rates.view(along)
                weight.mul_(1 - rate * self.decay)
                weight.sub_(rate / bias * first / ((second / bias_squared).sqrt_().add_(EPSILON)))
        return norms
