"""Figure of one utterance: spectrogram, segment boundaries, recognised and reference phones one above the other.

All times in the figure are seconds of the speech-only audio.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from unscribed.artifacts import Pathlike
from unscribed.audio.io import load_mono
from unscribed.audio.times import to_speech_seconds
from unscribed.errors import UserError
from unscribed.evaluation.per import GAP, Alignment, align, clean_hypothesis, count_errors, kept_hypothesis
from unscribed.figures.phone_classes import printed_letters
from unscribed.figures.spectrogram import MEL_BANDS, hertz_to_mel, log_mel
from unscribed.figures.style import BLUE, GREEN, GREY, INK, ORANGE, save, style
from unscribed.references import read_references
from unscribed.tables import BoundaryTable, ManifestTable, PhoneTable, VadTable
from unscribed.text.silence import SILENCE

READABLE_SECONDS = (1.5, 4.0)  # longer utterances crowd the phones, shorter ones show little
INCHES_PER_SECOND, LEAST_INCHES, MOST_INCHES = 4.2, 8.0, 40.0
DYNAMIC_RANGE_DB = 60.0  # below the loudest point; quieter ones are white
# Colours of the boxes and of the names in them: right, wrong, and neither (silence, or without a reference).
LOOKS = {True: ("#CFE5F4", BLUE), False: ("#FBD9C3", ORANGE), None: ("#ECECEC", GREY)}


@dataclass(frozen=True)
class ReportSettings:
    """Section `report` of the configuration."""

    utterances: int


@dataclass(frozen=True)
class Box:
    """A phone from `start` to `end` (seconds); `right` is None for silence and without a reference."""

    phone: str
    start: float
    end: float
    right: bool | None = None


def utterance_figure(
    *,
    manifest: Pathlike,
    vad: Pathlike,
    boundaries: Pathlike,
    decoded: Pathlike,
    index: int | str,
    settings: ReportSettings,
    sample_rate_hz: int,
    hop_ms: float,
    figure: Pathlike,
    references: Sequence[str] = (),
) -> None:
    """Draw utterance number `index` (from 0) of `settings.utterances`, spread evenly over the split.

    All tables are of one split; `references` is a list with its one table, or empty. Which utterances are shown does
    not depend on how well they were recognised. Raises UserError if nothing was decoded.
    """
    hypotheses, regions = (kind.by_utterance(path) for kind, path in ((PhoneTable, decoded), (VadTable, vad)))
    name = _choose(regions.loc[hypotheses.index], int(index), settings.utterances, decoded)
    region, row = regions.loc[name], hypotheses.loc[name]
    samples = _speech_only(ManifestTable.by_utterance(manifest).loc[name, "path"], region, sample_rate_hz)
    segments = BoundaryTable.by_utterance(boundaries).loc[name, "boundaries_frames"] * hop_ms / 1000
    recognised = recognised_boxes(list(row.phones), row.starts_frames * hop_ms / 1000, row.frames * hop_ms / 1000)
    title, expected = name, []
    known = read_references(references[0]).set_index("utterance") if references else pd.DataFrame()
    if name in known.index and len(known.loc[name, "phones"]):
        reference = known.loc[name]
        expected = reference_boxes(reference, region, len(samples) / sample_rate_hz, sample_rate_hz)
        alignment = align([box.phone for box in expected], clean_hypothesis(row.phones))
        recognised, expected = _mark(recognised, expected, alignment)
        words = f"  “{reference.words}”" if reference.words else ""
        title = f"{name}{words}  ·  phone error rate {100 * count_errors(alignment).rate:.0f} %"
    with style():
        _draw(samples, sample_rate_hz, segments, recognised, expected, title, figure)


def _choose(regions: pd.DataFrame, index: int, wanted: int, decoded: Pathlike) -> str:
    """Choose number `index` of `wanted` utterances, spread evenly over those of readable length (all, if too few)."""
    if not len(regions):
        raise UserError(f"{decoded} has no utterances, so there is none to draw: check the corpus's split sizes.")
    readable = regions[regions["speech_seconds"].between(*READABLE_SECONDS)]
    candidates = readable if len(readable) >= wanted else regions
    return candidates.index[min(index * len(candidates) // wanted, len(candidates) - 1)]


def _speech_only(path: str, region: pd.Series, sample_rate_hz: int) -> np.ndarray:
    samples = load_mono(path, sample_rate_hz)
    spans = zip(region.starts_samples, region.ends_samples, strict=True)
    return np.concatenate([samples[:0], *(samples[start:end] for start, end in spans)])


def recognised_boxes(phones: list[str], starts: np.ndarray, end: float) -> list[Box]:
    """Make boxes of the phones that count in the error rate, each up to the next, and of the silences between them."""
    heads = set(kept_hypothesis(phones))
    heads |= {i for i, phone in enumerate(phones) if phone == SILENCE and (i == 0 or phones[i - 1] != SILENCE)}
    order = sorted(heads)
    edges = [*(float(starts[head]) for head in order), end]
    return [Box(phones[head], edges[place], edges[place + 1]) for place, head in enumerate(order)]


def reference_boxes(reference: pd.Series, region: pd.Series, seconds: float, sample_rate_hz: int) -> list[Box]:
    """Make boxes of the reference phones without silences; spread evenly over `seconds` if their times are unknown."""
    spoken = np.array([phone != SILENCE for phone in reference.phones])
    phones = np.asarray(reference.phones)[spoken]
    if len(reference.starts_seconds) == len(reference.phones) and len(region.starts_samples):
        last = reference.end_seconds if np.isfinite(reference.end_seconds) else region.total_seconds
        edges = np.append(reference.starts_seconds, last)
        edges = to_speech_seconds(edges, region.starts_samples, region.ends_samples, sample_rate_hz)
        starts, ends = edges[:-1][spoken], edges[1:][spoken]
    else:
        edges = np.linspace(0, seconds, len(phones) + 1)
        starts, ends = edges[:-1], edges[1:]
    return [Box(str(phone), float(start), float(end)) for phone, start, end in zip(phones, starts, ends, strict=True)]


def _mark(recognised: list[Box], expected: list[Box], alignment: Alignment) -> tuple[list[Box], list[Box]]:
    """Mark every phone of both rows as right or wrong by the alignment."""
    above = iter([left == right for left, right in alignment if right != GAP])
    below = iter([left == right for left, right in alignment if left != GAP])
    return (
        [box if box.phone == SILENCE else Box(box.phone, box.start, box.end, next(above)) for box in recognised],
        [Box(box.phone, box.start, box.end, next(below)) for box in expected],
    )


def _draw(
    samples: np.ndarray,
    sample_rate_hz: int,
    segments: np.ndarray,
    recognised: list[Box],
    expected: list[Box],
    title: str,
    figure: Pathlike,
) -> None:
    seconds = max(len(samples) / sample_rate_hz, 0.1)
    inches = float(np.clip(INCHES_PER_SECOND * seconds, LEAST_INCHES, MOST_INCHES))
    drawing, (top, rows) = plt.subplots(
        2, 1, figsize=(inches, 4.6), height_ratios=(3, 1.1 if expected else 0.55), sharex=True, layout="constrained"
    )
    _draw_spectrogram(top, samples, sample_rate_hz, segments, seconds)
    top.set_title(textwrap.fill(title, int(11 * inches))).set_parse_math(False)  # a transcript may hold dollar signs
    points_per_second = 72 * (inches - 1.2) / seconds
    _draw_boxes(rows, recognised, 1.0, points_per_second)
    _draw_boxes(rows, expected, 0.0, points_per_second)
    rows.set(xlim=(0, seconds), ylim=(0 if expected else 1, 1.9), xlabel="seconds of speech (silence removed)")
    rows.set_yticks([1.45, 0.45] if expected else [1.45], ["recognised", "reference"] if expected else ["recognised"])
    rows.tick_params(axis="y", length=0)
    rows.spines["left"].set_visible(False)
    drawing.legend(handles=_legend(bool(expected)), loc="outside lower right", ncols=4)
    save(drawing, figure)


def _legend(scored: bool) -> list[Artist]:
    names = {True: "right", False: "wrong", None: "silence"} if scored else {None: "no transcript"}
    patches = [Patch(facecolor=LOOKS[key][0], edgecolor=LOOKS[key][1], label=name) for key, name in names.items()]
    return [*patches, Line2D([], [], color=GREEN, label="segment boundary")]


def _draw_spectrogram(
    axes: Axes, samples: np.ndarray, sample_rate_hz: int, segments: np.ndarray, seconds: float
) -> None:
    if len(samples) > 1:
        decibels = log_mel(samples, sample_rate_hz)
        top = float(decibels.max())
        extent = (0, seconds, 0, MEL_BANDS)
        limits = {"vmin": top - DYNAMIC_RANGE_DB, "vmax": top}
        axes.imshow(decibels, cmap="Greys", aspect="auto", origin="lower", extent=extent, **limits)
    axes.vlines(segments, 0, MEL_BANDS, color=GREEN, linewidth=0.9)
    ticks = [hertz for hertz in (250, 500, 1000, 2000, 4000, 8000) if hertz <= sample_rate_hz / 2]
    highest = hertz_to_mel(sample_rate_hz / 2)
    axes.set_yticks([hertz_to_mel(hertz) / highest * MEL_BANDS for hertz in ticks], [f"{hertz:,}" for hertz in ticks])
    axes.set_ylabel("frequency (Hz)")


def _draw_boxes(axes: Axes, boxes: list[Box], bottom: float, points_per_second: float) -> None:
    """Draw one row of boxes; the font shrinks where a phone is too short for its name."""
    for box in boxes:
        silent = box.phone == SILENCE
        fill, ink = LOOKS[box.right]
        axes.add_patch(
            Rectangle((box.start, bottom), box.end - box.start, 0.9, facecolor=fill, edgecolor="white", linewidth=1.5)
        )
        if silent:
            continue
        room = points_per_second * (box.end - box.start) / printed_letters(box.phone)
        size = np.clip(room / 0.65, 6.5, 13)
        centre = (box.start + box.end) / 2
        weight = "bold" if box.right is False else "normal"
        colour = INK if box.right is None else ink
        axes.text(centre, bottom + 0.45, box.phone, size=size, color=colour, weight=weight, ha="center", va="center")
