"""Stage teacher: train a frame classifier on the spoken text, augmented so that it may know people's speech, too.

Everything random in a batch comes from (seed, update), so that a killed training resumes with the same losses.
Dimensions: B utterances of a batch, T frames, D features of a frame, J output frames, V phones.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from unscribed.acoustic.network import FrameNetwork
from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.acoustic.network_training import NO_LABEL, Batch, crops, frame_loss, updates
from unscribed.artifacts import Pathlike
from unscribed.audio.times import to_speech_seconds
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.tables import REAL, WHOLE, Table, VadTable
from unscribed.teacher.augment import augmented, augmented_states
from unscribed.teacher.frames import FEATURES
from unscribed.teacher.network import Teacher, stride_of
from unscribed.teacher.speak import SpokenTable
from unscribed.teacher.spectrum import NATS_PER_DB
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)

HELD_OUT = 50  # every so many utterances one is not learned from, but checked


@dataclass(frozen=True)
class TeacherSettings(NetworkSettings):
    """Section `teacher` of the configuration, without the keys of the adaptation."""

    check_every: int
    device: str


class CurveTable(Table):
    """Losses of a training, and the share of held-out frames whose phone is found."""

    SCHEMA: ClassVar = {"update": WHOLE, "seconds": REAL, "loss": REAL, "heldout_loss": REAL, "heldout_accuracy": REAL}


class SpokenFrames:
    """The frames of spoken sentences with the phone of each, (T, D) and (T,) int64."""

    def __init__(self, store: FrameStore, spoken: Pathlike, vad: Pathlike, phones: Sequence[str]) -> None:
        self.store = store
        numbers = {phone: number for number, phone in enumerate(phones)}
        table = SpokenTable.by_utterance(spoken, store.utterances)
        regions = VadTable.by_utterance(vad, store.utterances)
        rate, hop = store.metadata["sample_rate_hz"], store.metadata["hop_ms"] / 1000
        self.labels: list[np.ndarray] = []
        rows = zip(table.itertuples(), regions.itertuples(), store.lengths, strict=True)
        for said, region, frames in rows:
            times = [*said.starts_seconds, said.end_seconds]
            edges = to_speech_seconds(times, region.starts_samples, region.ends_samples, rate)
            classes = np.array([0, *(numbers.get(phone, NO_LABEL) for phone in said.phones), 0])  # 0: silence around
            self.labels.append(classes[np.searchsorted(edges, np.arange(frames) * hop, side="right")])
        heldout = np.arange(len(store)) % HELD_OUT == HELD_OUT - 1
        self.heldout, self.train = np.flatnonzero(heldout), np.flatnonzero(~heldout)
        if not len(self.heldout):
            raise UserError(f"{spoken} has fewer than {HELD_OUT} sentences, too few to learn from: raise speak.hours.")

    def batch(self, numbers: Sequence[int], longest: int, generator: np.random.Generator) -> Batch:
        """Return random parts of at most `longest` frames: x (B, T, D), labels (B, T) and lengths (B,)."""
        frames, labels = [self.store[number] for number in numbers], [self.labels[number] for number in numbers]
        return crops(frames, labels, longest, generator)


def teacher(
    *,
    frames: Pathlike,
    spoken: Pathlike,
    vad: Pathlike,
    phones: Pathlike,
    settings: TeacherSettings,
    seed: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """Train on the store `frames` of the sentences in `spoken`, log-mel or hidden states; write model and curves.

    `phones` is the inventory. Raises UserError for a missing GPU, a full memory and a loss that is not finite.
    """
    device = device_of(settings.device, "teacher.device")
    torch.set_num_threads(threads)
    inventory = read_inventory(phones)
    data = SpokenFrames(FrameStore(frames), spoken, vad, inventory)
    torch.manual_seed(seed)
    about = data.store.metadata
    stride = stride_of(about["hop_ms"])
    network = FrameNetwork(data.store.data.shape[1], settings.channels, len(inventory), settings.dropout, stride)
    log.info("%.2f M parameters", sum(weight.numel() for weight in network.parameters()) / 1e6)
    counts = np.bincount(np.concatenate([one[one >= 0] for one in data.labels]), minlength=len(inventory)) + 1.0
    log_prior = torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32)).to(device)
    states = about["kind"] != FEATURES["kind"]
    taught = Teacher(network.to(device), inventory, log_prior, about["sample_rate_hz"], states=states)
    with out_of_memory("teacher.batch_utterances", settings.batch_utterances):
        rows = train(taught, data, settings, seed)
    network.eval()
    taught.write(model)
    rows.write(curves)


def train(taught: Teacher, data: SpokenFrames, settings: TeacherSettings, seed: int) -> CurveTable:
    """Train the network of `taught` in place, on the device where it is; return a row per check.

    Raises UserError if the loss is not finite.
    """
    longest = round(1000 * settings.max_seconds / data.store.metadata["hop_ms"])

    def batch(generator: np.random.Generator) -> Batch:
        noise = torch.Generator().manual_seed(int(generator.integers(2**62)))
        numbers = generator.choice(data.train, size=settings.batch_utterances)
        x, labels, lengths = (part.to(taught.device) for part in data.batch(numbers, longest, generator))
        if taught.states:
            return augmented_states(x, labels, lengths, noise)
        return augmented(NATS_PER_DB * x, labels, lengths, taught.sample_rate_hz, noise)

    rows, recent, started = CurveTable(), [], time.monotonic()
    for update, loss in enumerate(updates(taught.network, batch, settings, seed), start=1):
        recent.append(loss)
        if update % settings.check_every == 0 or update == settings.updates:
            mean = float(torch.stack(recent).mean())
            if not np.isfinite(mean):
                raise UserError(f"the loss of the teacher is {mean} at update {update}: lower teacher.learning_rate.")
            heldout, accuracy = check(taught, data, longest, settings.label_smoothing)
            seconds = time.monotonic() - started
            rows.append(update=update, seconds=seconds, loss=mean, heldout_loss=heldout, heldout_accuracy=accuracy)
            log.info("update %d: loss %.3f, held out %.3f, accuracy %.3f", update, mean, heldout, accuracy)
            recent = []
    return rows


@torch.inference_mode()
def check(taught: Teacher, data: SpokenFrames, longest: int, smoothing: float) -> tuple[float, float]:
    """Compute loss and share of right frames on the held-out utterances, as they are."""
    network = taught.network.eval()
    losses, right, total = [], 0, 0
    for first in range(0, len(data.heldout), 32):
        batch = data.batch(data.heldout[first : first + 32], longest, np.random.default_rng(0))
        x, labels, lengths = (part.to(taught.device) for part in batch)
        x = taught.view(x, lengths)
        logits, _ = network(x, lengths)
        wanted = labels[:, :: network.stride]
        losses.append(float(frame_loss(network, x, labels, lengths, smoothing)))
        right += int((logits.argmax(-1) == wanted).sum())
        total += int((wanted >= 0).sum())
    return float(np.mean(losses)), right / max(1, total)
