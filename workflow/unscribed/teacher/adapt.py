"""Stage adapt: fit the teacher to the corpus without labels: frequency warp, floor, statistics of layers, prior.

Of all warps and floors, those are taken with which the network is surest of what it hears: the mean of its largest
posterior follows the phone error rate (reference: measurements in docs/results.md).
Dimensions: B utterances of a batch, T frames, D features of a frame, J output frames, V phones.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from unscribed.acoustic.network import output_mask
from unscribed.artifacts import Pathlike
from unscribed.devices import device_of
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.ssl.waveform import mask_of
from unscribed.tables import FLAG, REAL, Table
from unscribed.teacher.network import Teacher

log = logging.getLogger(__name__)

BATCH = 16  # utterances
# Of the mean largest posterior. Measured: white noise 0.33, gliding tones 0.34, a natural voice 0.54 (played backwards
# 0.43), eSpeak NG 0.81.
LEAST_SURENESS = 0.38
LEAST_FRAMES = 200  # two seconds, from which statistics mean anything
SMALLEST_PRIOR = 1e-4  # of a phone that the teacher hardly hears: its score would grow without bounds


@dataclass(frozen=True)
class AdaptSettings:
    """The keys of the section `teacher` that the adaptation uses."""

    warps: list[float]
    floors: list[float]
    adapt_minutes: float
    device: str


class AdaptationTable(Table):
    """How sure the teacher is with each warp and floor, and which was chosen."""

    SCHEMA: ClassVar = {"warp": REAL, "floor_nats": REAL, "sureness": REAL, "chosen": FLAG}


def adapt(
    *,
    model: Pathlike,
    frames: Pathlike,
    settings: AdaptSettings,
    seed: int,
    threads: int,
    adapted: Pathlike,
    adaptation: Pathlike,
) -> None:
    """Write the teacher as adapted to the store `frames`, and the criterion of all that was tried.

    Raises UserError if there is too little audio, and if the teacher is sure of nothing whatever is tried.
    """
    device = device_of(settings.device, "teacher.device")
    torch.set_num_threads(threads)
    teacher, store = Teacher.read(model, device), FrameStore(frames)
    numbers = _sample(store, settings.adapt_minutes, seed)
    pairs = [(warp, floor) for floor in settings.floors for warp in settings.warps]
    if teacher.states:  # of which neither warp nor floor is known
        pairs = [(teacher.warp, teacher.floor)]
    sureness = []
    for warp, floor in pairs:
        fitted = replace(teacher, warp=warp, floor=floor)
        fit_statistics(fitted, store, numbers)
        sureness.append(mean_sureness(fitted, store, numbers))
        log.info("warp %.2f, floor %.0f nats: sureness %.3f", warp, floor, sureness[-1])
    best = int(np.argmax(sureness))
    AdaptationTable.from_rows(
        (*pair, value, place == best) for place, (pair, value) in enumerate(zip(pairs, sureness, strict=True))
    ).write(adaptation)
    if sureness[best] < LEAST_SURENESS:
        raise UserError(
            f"the teacher is sure of nothing in {frames} (mean of its largest posterior {sureness[best]:.2f}, at least "
            f"{LEAST_SURENESS} is wanted): this audio is too unlike eSpeak NG's speech. Check corpus.language and vad, "
            "or leave the teacher out (teacher.candidate: false)."
        )
    chosen = replace(teacher, warp=pairs[best][0], floor=pairs[best][1])
    fit_statistics(chosen, store, numbers)
    log_prior = mean_posteriors(chosen, store, numbers).clamp_min(SMALLEST_PRIOR).log()
    replace(chosen, log_prior=log_prior).write(adapted)


def _sample(store: FrameStore, minutes: float, seed: int) -> list[int]:
    """Draw utterances with up to `minutes` of audio, in order. Raises UserError for too little."""
    order = np.random.default_rng(seed).permutation(len(store))
    total = np.cumsum(store.lengths[order]) * store.metadata["hop_ms"] / 60_000
    chosen = order[: max(1, int(np.searchsorted(total, minutes, side="right")))]
    if (frames := store.lengths[chosen].sum()) < LEAST_FRAMES:
        hop = store.metadata["hop_ms"] / 1000
        remedy = "give more recordings" if len(chosen) == len(store) else "raise teacher.adapt_minutes"
        raise UserError(
            f"{store.path} has too little audio for a teacher to adapt to, {frames * hop:.1f} s in {len(chosen)} "
            f"utterance(s) where {LEAST_FRAMES * hop:.1f} s are needed: {remedy}, or leave the teacher out "
            "(teacher.candidate: false)."
        )
    return sorted(int(number) for number in chosen)


def batches(store: FrameStore, numbers: Sequence[int], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield x (B, T, D) and lengths (B,) of utterances of similar length."""
    order = sorted(numbers, key=lambda number: int(store.lengths[number]))
    for first in range(0, len(order), BATCH):
        rows = [torch.from_numpy(store[number].astype(np.float32)) for number in order[first : first + BATCH]]
        lengths = torch.tensor([len(row) for row in rows], device=device)
        yield torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device), lengths


@torch.inference_mode()
def fit_statistics(teacher: Teacher, store: FrameStore, numbers: Sequence[int]) -> None:
    """Replace the statistics of the batch norms by those of the corpus, in place (AdaBN, arXiv 1603.04779).

    Block after block, each on what the blocks below make of the corpus when they are already fitted.
    """
    hidden = []
    for x, lengths in batches(store, numbers, teacher.device):
        hidden.append((teacher.view(x, lengths).transpose(1, 2), output_mask(teacher.network.output_lengths(lengths))))
    for block in teacher.network.blocks:
        count = sum(mask.sum().double() for _, mask in hidden)
        sums = sum((block.conv(x) * mask).sum((0, 2), dtype=torch.double) for x, mask in hidden)
        block.norm.mean.copy_(sums / count)
        away = (((block.conv(x) - block.norm.mean[:, None]) * mask).square() for x, mask in hidden)
        block.norm.variance.copy_(sum(one.sum((0, 2), dtype=torch.double) for one in away) / count)
        hidden = [(block(x, mask), mask) for x, mask in hidden]


@torch.inference_mode()
def posteriors(teacher: Teacher, store: FrameStore, numbers: Sequence[int]) -> Iterator[Tensor]:
    """Yield the posteriors of each batch, (frames, V)."""
    for x, lengths in batches(store, numbers, teacher.device):
        logits, counts = teacher.logits(x, lengths)
        yield logits.softmax(-1)[mask_of(counts, logits.shape[1])]


def mean_sureness(teacher: Teacher, store: FrameStore, numbers: Sequence[int]) -> float:
    """Return the mean over frames of the largest posterior."""
    largest = torch.cat([found.amax(-1) for found in posteriors(teacher, store, numbers)])
    return float(largest.mean())


def mean_posteriors(teacher: Teacher, store: FrameStore, numbers: Sequence[int]) -> Tensor:
    """Return the mean posterior of each phone, (V,): the prior of this corpus."""
    return torch.cat(list(posteriors(teacher, store, numbers))).mean(0)
