"""Stage acoustic: train the frame classifier on the phones of the segments, then on its own decodes.

The classifier averages over the many wrong labels of the mapping, the trigram search corrects remaining errors by
context, and the decoded phones are the labels of the next iteration.
Dimensions: B batch frames, T frames, W stacked features, V phones.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from unscribed.acoustic.model import AcousticModel
from unscribed.acoustic.search import decode_utterances
from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams
from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.segmentation.pca import stack
from unscribed.tables import BoundaryTable
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AcousticSettings:
    """Section `acoustic` of the configuration."""

    iterations: int
    hidden: int
    context_frames: int
    updates: int
    batch_frames: int
    learning_rate: float
    label_smoothing: float
    max_frames: int


def acoustic(
    *,
    frames: Pathlike,
    boundaries: Pathlike,
    labels: Pathlike,
    arpa: Pathlike,
    phones: Pathlike,
    settings: AcousticSettings,
    decode: DecodeSettings,
    seed: str,
    threads: int,
    model: Pathlike,
) -> None:
    """Train `settings.iterations` times and write the last classifier, with the prior of its labels.

    `frames` is the PCA store of train, `boundaries` its segments, `labels` their phones. Raises UserError if all
    segments have the same phone or the training diverges.
    """
    torch.set_num_threads(threads)
    store = FrameStore(frames)
    inventory = read_inventory(phones)
    targets = frame_labels(BoundaryTable.read(boundaries)["boundaries_frames"].tolist(), FrameStore(labels))
    trigrams = PhoneTrigrams.read(arpa, inventory, decode)
    chosen = _choose(store, settings.max_frames, int(seed))
    for iteration in range(settings.iterations):
        if len(np.unique(targets[_positions(store, chosen)])) < 2:
            raise UserError(
                f"{labels}: every segment bears the same phone, so there is nothing to learn. The matching has "
                "collapsed: look at its log, try another of match.seeds, more restarts or another segment.method."
            )
        network, loss = _train(store, targets, chosen, len(inventory), settings, int(seed) + iteration)
        if not np.isfinite(loss):
            raise UserError(f"training of {model} diverged (cross entropy {loss}): lower acoustic.learning_rate.")
        trained = _export(network, targets[_positions(store, chosen)], inventory, settings.context_frames)
        log.info("iteration %d: cross entropy %.3f", iteration + 1, loss)
        if iteration + 1 < settings.iterations:
            for first, last, _, path in decode_utterances(trained, store, trigrams, decode, threads, chosen):
                targets[store.offsets[first] : store.offsets[last]] = path
    trained.write(model)


def frame_labels(boundaries: list[np.ndarray], labels: FrameStore) -> np.ndarray:
    """Return the label of every frame, (T,) int64, from the boundaries of each utterance and the labels of segments.

    Raises UserError if there are not as many labels as segments.
    """
    durations = np.concatenate([np.diff(edges) for edges in boundaries])
    if len(durations) != len(labels.data):
        raise UserError(f"{labels.path}: {len(labels.data)} labels for {len(durations)} segments: run match again.")
    return np.repeat(labels.data[:, 0].astype(np.int64), durations)


def _choose(store: FrameStore, max_frames: int, seed: int) -> np.ndarray:
    """Choose utterances at random, with up to `max_frames` frames in all; return their numbers in rising order."""
    order = np.random.default_rng(seed).permutation(len(store))
    total = np.cumsum(store.lengths[order])
    return np.sort(order[: max(1, int(np.searchsorted(total, max_frames, side="right")))])


def _positions(store: FrameStore, utterances: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(store.offsets[number], store.offsets[number + 1]) for number in utterances])


def _train(
    store: FrameStore, targets: np.ndarray, chosen: np.ndarray, phones: int, settings: AcousticSettings, seed: int
) -> tuple[nn.Sequential, float]:
    """Train with Adam on random frames of the chosen utterances; return the network and the mean of its last 50 losses.

    The learning rate falls linearly to 0.
    """
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    width = store.data.shape[1] * (2 * settings.context_frames + 1)
    network = nn.Sequential(nn.Linear(width, settings.hidden), nn.ReLU(), nn.Linear(settings.hidden, phones))
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    criterion = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
    positions = _positions(store, chosen)
    recent = []
    for update in range(settings.updates):
        batch = positions[generator.integers(len(positions), size=settings.batch_frames)]  # (B,)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (1 - update / settings.updates)
        stacked = torch.from_numpy(stack(store, batch, settings.context_frames))  # (B, W)
        loss = criterion(network(stacked), torch.from_numpy(targets[batch]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        recent = [*recent[-49:], loss.item()]
    return network, float(np.mean(recent))


def _export(network: nn.Sequential, targets: np.ndarray, inventory: list[str], context: int) -> AcousticModel:
    weights = [parameter.detach().numpy() for parameter in network.parameters()]
    counts = np.bincount(targets, minlength=len(inventory)) + 1.0
    return AcousticModel(*weights, np.log(counts / counts.sum()).astype(np.float32), inventory, context)
