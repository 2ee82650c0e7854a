"""Figure of the teacher: how well it learned the spoken text, and how sure it is of the corpus."""

import matplotlib.pyplot as plt

from unscribed.artifacts import Pathlike
from unscribed.figures.style import BLUE, COLOURS, save, style
from unscribed.teacher.adapt import AdaptationTable
from unscribed.teacher.train import CurveTable


def teacher_figure(*, curves: Pathlike, adaptation: Pathlike, figure: Pathlike) -> None:
    """Draw the held-out accuracy over the updates, and the sureness over the warps, a line for each floor."""
    learned, tried = CurveTable.read(curves), AdaptationTable.read(adaptation)
    with style():
        drawing, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
        left.plot(learned["update"], 100 * learned["heldout_accuracy"], color=BLUE, marker="o")
        left.set(title="Spoken text that was held out", xlabel="update", ylabel="frames with the right phone (%)")
        for number, (floor, rows) in enumerate(tried.sort_values("warp").groupby("floor_nats")):
            right.plot(
                rows["warp"],
                rows["sureness"],
                marker="o",
                label=f"{floor:g} nats",
                color=COLOURS[number % len(COLOURS)],
            )
        chosen = tried[tried["chosen"]].iloc[0]
        right.plot(chosen["warp"], chosen["sureness"], "o", markersize=13, fillstyle="none", color="black")
        right.set(title="The corpus, without labels", xlabel="frequency warp", ylabel="mean of the largest posterior")
        right.legend(title="floor")
        save(drawing, figure)
