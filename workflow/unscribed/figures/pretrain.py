"""Figure of the pretraining's curves."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from unscribed.artifacts import Pathlike, read_table
from unscribed.figures.style import BLUE, COLOURS, GREY, INK, save, style


def pretrain_figure(*, curves: Pathlike, figure: Pathlike) -> None:
    """Draw three panels over the updates: loss, accuracy, and the perplexity of the codes on the split valid.

    The codes are those of each codebook (wav2vec 2.0), or the clusters that the model predicts (HuBERT).
    """
    table = read_table(curves)
    hubert = "masked" in table
    loss, title = ("masked", "Cluster prediction loss") if hubert else ("contrastive", "Contrastive loss")
    with style():
        drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), sharex=True, layout="constrained")
        for axes, name in ((left, loss), (middle, "accuracy")):
            axes.plot(table["update"], table[name], color=GREY, label="train")
            axes.plot(table["update"], table[f"valid_{name}"], color=BLUE, label="valid")
        left.set(title=title, ylabel="nats per masked frame")
        middle.set(
            title="Cluster predicted correctly" if hubert else "True latent preferred to all distractors",
            ylabel="share of the masked frames",
            ylim=(0, None),
        )
        books = np.stack(table["valid_perplexities"].to_list())
        for number, values in enumerate(books.T):
            right.plot(
                table["update"],
                values,
                color=COLOURS[number % len(COLOURS)],
                label="clusters" if hubert else f"codebook {number + 1}",
            )
        right.set(
            title="Clusters in use (valid)" if hubert else "Codes in use (valid)", ylabel="perplexity", ylim=(0, None)
        )
        for place, row in table[table["status"] != "ok"].iterrows():
            right.plot(row["update"], books[place].min(), marker="x", color=INK, clip_on=False)
        for axes in (left, middle, right):
            axes.set_xlabel("updates")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.legend()
        save(drawing, figure)
