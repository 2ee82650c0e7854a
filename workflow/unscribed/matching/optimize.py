"""Optimise a mapping of audio units to phones so that their statistics approach those of the text.

All restarts are optimised as one batch; the one with the lowest objective is kept. No label is used.
Dimensions: R restarts, K audio units, V phones, J skips, L positions from each end.
"""

from dataclasses import dataclass

import numpy as np
import torch

from unscribed.matching.statistics import Statistics

BETAS = (0.9, 0.99)  # of Adam; 0.99, not its usual 0.999, because it averages over the last 100 of some hundred steps
DECAY_SHARE = 0.3  # last share of the steps, over which the learning rate falls linearly to zero
# Of a warm start: how firmly a unit keeps its phone.
SMOOTHING = 0.02  # added to every count of unit and phone; larger makes phones not yet seen in a unit easier to reach
FLATTENING = 0.7  # exponent of the phone shares; 1 keeps them, smaller brings them closer together
NOISE = 0.3  # standard deviation of the noise on the logits; larger makes restarts differ more


@dataclass(frozen=True)
class Mapping:
    """`probabilities` (R, K, V) of the phones given each unit; `objectives` (R,), the minimised values."""

    probabilities: np.ndarray
    objectives: np.ndarray

    @property
    def best(self) -> int:
        """The restart with the lowest objective."""
        return int(np.argmin(self.objectives))


def match(audio: Statistics, text: Statistics, start: np.ndarray, steps: int, learning_rate: float) -> Mapping:
    """Minimise the L1 distance of skip-gram and positional statistics by Adam from the logits `start` (R, K, V).

    `text` must have gone through `oversegment` if the audio is over-segmented.
    Source: the objective is ESPUM's loss (Wang et al. 2023, §3), for a table of mapping probabilities instead of a
    network.
    """
    logits = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    unit_pairs, phone_pairs = torch.from_numpy(audio.skips), torch.from_numpy(text.skips)
    unit_places, phone_places = torch.from_numpy(audio.positions), torch.from_numpy(text.positions)
    optimizer = torch.optim.Adam([logits], lr=learning_rate, betas=BETAS)
    objectives = torch.zeros(len(start))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * min(1.0, (steps - step) / (steps * DECAY_SHARE))
        objectives = _objectives(logits.softmax(-1), unit_pairs, phone_pairs, unit_places, phone_places)
        optimizer.zero_grad(set_to_none=True)
        objectives.sum().backward()
        optimizer.step()
    with torch.no_grad():
        probabilities = logits.softmax(-1)
        objectives = _objectives(probabilities, unit_pairs, phone_pairs, unit_places, phone_places)
    return Mapping(probabilities.numpy(), objectives.numpy())


def _objectives(
    mapping: torch.Tensor,  # (R, K, V)
    unit_pairs: torch.Tensor,  # (J, K, K)
    phone_pairs: torch.Tensor,  # (J, V, V)
    unit_places: torch.Tensor,  # (2, L, K)
    phone_places: torch.Tensor,  # (2, L, V)
) -> torch.Tensor:
    """The objective of each restart, (R,)."""
    restarts, units, phones = mapping.shape
    # The restarts side by side make one large product instead of R small ones.
    side_by_side = mapping.transpose(0, 1).reshape(units, restarts * phones)
    objectives = torch.zeros(restarts)
    for pairs, wanted in zip(unit_pairs, phone_pairs, strict=True):
        right = (pairs @ side_by_side).view(units, restarts, phones).transpose(0, 1)  # (R, K, V)
        objectives = objectives + (mapping.transpose(1, 2) @ right - wanted).abs().sum((1, 2))
    places = torch.einsum("elk,rkv->relv", unit_places, mapping)
    return objectives + (places - phone_places).abs().sum(-1).mean((1, 2))


def random_start(restarts: int, units: int, phones: int, generator: np.random.Generator) -> np.ndarray:
    """Draw standard normal logits, (R, K, V)."""
    return generator.standard_normal((restarts, units, phones)).astype(np.float32)


def warm_start(
    units: np.ndarray, phones: np.ndarray, shape: tuple[int, int, int], generator: np.random.Generator
) -> np.ndarray:
    """Logits of `shape` (R, K, V) from the counts of each phone in each unit, with noise that differs between restarts.

    `units` and `phones` (S,) are the segments' clusters and labels. Flattened shares and noise let the optimisation
    move a unit to another phone.
    """
    _, size, inventory = shape
    counts = np.full((size, inventory), SMOOTHING)
    np.add.at(counts, (units, phones), 1)
    logits = FLATTENING * np.log(counts / counts.sum(axis=1, keepdims=True))
    noise = NOISE * generator.standard_normal(shape)
    return (logits[None] + noise).astype(np.float32)
