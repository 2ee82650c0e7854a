"""The penalties of the GAN: the one list from which grid, weights, columns of the curves and loss sums follow.

How each is computed stands in `gan.losses` under the same name. Every Snakemake process reads this, so it imports
nothing heavy.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class Penalty:
    """A weighted part of a network's loss.

    `side` is the network that it trains. `short` stands before the weight in the name of a run; such a penalty is part
    of the grid, and its key in the section `gan` lists weights. Without it the key is one weight for all runs.
    """

    side: Side
    short: str = ""


# In the order in which they are added to the adversarial loss of their side.
PENALTIES = {
    "gradient_penalty": Penalty("discriminator", "gp"),
    "smoothness": Penalty("generator", "sm"),
    "diversity": Penalty("generator", "div"),
    "auxiliary": Penalty("generator"),
}
ADVERSARIAL: dict[Side, tuple[str, ...]] = {
    "discriminator": ("discriminator_fake", "discriminator_real"),
    "generator": ("generator",),
}


def penalties_of(side: Side) -> list[str]:
    """The names of the penalties that train one of the two networks."""
    return [name for name, penalty in PENALTIES.items() if penalty.side == side]


def loss_columns() -> list[str]:
    """The columns of the curves: each side's adversarial losses and penalties, unweighted, and its gradient norm."""
    return [name for side, losses in ADVERSARIAL.items() for name in (*losses, *penalties_of(side), f"{side}_norm")]
