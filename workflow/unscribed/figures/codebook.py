"""Figure of the codes of a pretrained model and how much each language uses them.

Dimensions: L languages, P parts of each, G codebooks, V codes of each.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from unscribed.artifacts import Pathlike
from unscribed.figures.style import COLOURS, INK, save, style
from unscribed.ssl.codebook import CodebookTable, shares

MARKERS = "os^Dv<>P"  # one per language, repeated after the last


def codebook_figure(*, usage: Pathlike, figure: Pathlike) -> None:
    """Draw three panels: shares of the codes, their PCA (a point per part of a language), overlap of languages.

    `usage` is a CodebookTable.
    """
    table = CodebookTable.read(usage)
    languages = list(dict.fromkeys(table["language"]))
    columns = table.pivot_table(
        index=["language", "part"], columns=["codebook", "code"], values="frames", sort=False
    )  # (L * P, G * V)
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
    """Overlap of pairs of languages: the sum of the smaller of both shares of each code, mean over codebooks."""
    overlap = np.minimum(means[:, None], means[None]).sum(axis=-1) / books
    image = axes.imshow(overlap, vmin=0, vmax=1, cmap="viridis")
    for place, value in np.ndenumerate(overlap):
        axes.text(*place[::-1], f"{value:.2f}", ha="center", va="center", color="white" if value < 0.6 else INK)
    axes.set(title="Shared use of the codes")
    axes.set_xticks(range(len(languages)), languages, rotation=45)
    axes.set_yticks(range(len(languages)), languages)
    drawing.colorbar(image, ax=axes, label="overlap")
