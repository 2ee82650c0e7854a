"""Figures of the pretraining: its curves, and which codes the languages use."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from sklearn.decomposition import PCA

from unscribed.artifacts import Pathlike, read_table
from unscribed.figures.style import BLUE, GREEN, GREY, INK, ORANGE, save, style
from unscribed.ssl.codebook import shares

COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", GREY)  # Okabe and Ito's
MARKERS = "os^Dv<>P"


def pretrain_figure(*, curves: Pathlike, figure: Pathlike) -> None:
    """Three panels over the updates: loss, accuracy, and on the split valid the perplexity of the codes.

    The codes are those of each codebook (wav2vec 2.0), or the clusters that the model names (HuBERT).
    """
    table = read_table(curves)
    hubert = "masked" in table
    loss, what = ("masked", "Naming the cluster") if hubert else ("contrastive", "Contrastive loss")
    with style():
        drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), sharex=True, layout="constrained")
        for axes, name in ((left, loss), (middle, "accuracy")):
            axes.plot(table["update"], table[name], color=GREY, label="train")
            axes.plot(table["update"], table[f"valid_{name}"], color=BLUE, label="valid")
        left.set(title=what, ylabel="nats per masked frame")
        middle.set(
            title="Right cluster" if hubert else "True latent told from its distractors",
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
            title="Clusters named (valid)" if hubert else "Codes in use (valid)", ylabel="perplexity", ylim=(0, None)
        )
        for place, row in table[table["status"] != "ok"].iterrows():
            right.plot(row["update"], books[place].min(), marker="x", color=INK, clip_on=False)
        for axes in (left, middle, right):
            axes.set_xlabel("updates")
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.legend()
        save(drawing, figure)


def codebook_figure(*, usage: Pathlike, figure: Pathlike) -> None:
    """Three panels: use of the codes, PCA of it (a point is a tenth of a language), overlap of pairs of languages."""
    table = read_table(usage)
    languages = list(dict.fromkeys(table["language"]))
    columns = table.pivot_table(
        index=["language", "part"], columns=["codebook", "code"], values="frames", sort=False
    )  # (L x P, G x V)
    used = np.concatenate([shares(part.T.to_numpy()) for _, part in columns.T.groupby(level=0)], axis=1)
    owners = columns.index.get_level_values("language").to_numpy()
    means = np.stack([used[owners == language].mean(axis=0) for language in languages])
    with style():
        drawing = plt.figure(figsize=(13, 4.6), layout="constrained")
        left, middle, right = drawing.subplots(1, 3, width_ratios=[1.5, 1, 1])
        _usage(drawing, left, means, languages)
        _components(middle, used, owners, languages)
        _overlap(drawing, right, means, languages, table["codebook"].nunique())
        save(drawing, figure)


def _usage(drawing: Figure, axes: Axes, means: np.ndarray, languages: Sequence[str]) -> None:
    """A row per language, a column per code, the most used first."""
    order = np.argsort(-means.sum(axis=0), kind="stable")
    image = axes.imshow(means[:, order], aspect="auto", cmap="viridis", interpolation="nearest")
    axes.set(title="Use of the codes", xlabel="codes of all codebooks, most used first")
    axes.set_yticks(range(len(languages)), languages)
    drawing.colorbar(image, ax=axes, label="share within the codebook")


def _components(axes: Axes, used: np.ndarray, owners: np.ndarray, languages: Sequence[str]) -> None:
    places = PCA(2, random_state=0).fit_transform(used)
    for number, language in enumerate(languages):
        look = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        axes.scatter(*places[owners == language].T, s=28, label=language, **look)
    axes.set(title="PCA of the use of the codes", xlabel="first component", ylabel="second component")
    axes.legend()


def _overlap(drawing: Figure, axes: Axes, means: np.ndarray, languages: Sequence[str], books: int) -> None:
    """The share of frames that two languages give the same codes, as a mean over codebooks."""
    overlap = np.minimum(means[:, None], means[None]).sum(axis=-1) / books
    image = axes.imshow(overlap, vmin=0, vmax=1, cmap="viridis")
    for place, value in np.ndenumerate(overlap):
        axes.text(*place[::-1], f"{value:.2f}", ha="center", va="center", color="white" if value < 0.6 else INK)
    axes.set(title="Shared use of the codes")
    axes.set_xticks(range(len(languages)), languages, rotation=45)
    axes.set_yticks(range(len(languages)), languages)
    drawing.colorbar(image, ax=axes, label="overlap")
