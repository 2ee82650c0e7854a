"""The penalties of the GAN: the one table that the grid, the weights, the curves and the sums of losses are made from.

`gan.losses` has the function of each, under the same name. Every Snakemake process imports this module, so it imports
nothing heavy.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class Penalty:
    """A weighted part of a network's loss.

    `side` is the network that it trains; `short` is its abbreviation in the labels of runs. A penalty with `short` is
    part of the grid: its key in section `gan` lists the weights to try. Otherwise the key is one weight for all runs.
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
# Columns of the adversarial losses of each side.
ADVERSARIAL: dict[Side, tuple[str, ...]] = {
    "discriminator": ("discriminator_fake", "discriminator_real"),
    "generator": ("generator",),
}


def penalties_of(side: Side) -> list[str]:
    """Return the names of the penalties that train one of the two networks."""
    return [name for name, penalty in PENALTIES.items() if penalty.side == side]


def loss_columns() -> list[str]:
    """List the curves' columns: each side's adversarial losses and penalties, unweighted, and its gradient norm."""
    return [name for side, losses in ADVERSARIAL.items() for name in (*losses, *penalties_of(side), f"{side}_norm")]
