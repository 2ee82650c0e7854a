"""Start a generator from labels of the matching or the teacher instead of at random.

Dimensions: N runs, B batch, S segments, V phones.
"""

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.gan.batches import RandomStreams, Sequences
from unscribed.gan.generator import Weights, generate
from unscribed.gan.layers import mask_of
from unscribed.gan.optimizer import Adam
from unscribed.tables import BoundaryTable, PhoneTable

UPDATES, BATCH, RATE = 600, 32, 0.01  # batches of utterances; the learning rate falls linearly to 0
# Label smoothing: without it the softmax saturates on the labels, and the adversarial loss has no gradient left.
SMOOTHING = 0.1
AGAIN = "Delete both and run the workflow again."  # the remedy for tables of different runs


def read_segment_labels(
    decoded: Pathlike, segments: FrameStore, boundaries: Pathlike, phones: list[str], device: torch.device
) -> Sequences:
    """Label each segment with the phone of most of its frames in `decoded`, phones of the same audio.

    `boundaries` are those of `segments`. Raises UserError if they belong to different audio or another inventory.
    """
    ids = {phone: number for number, phone in enumerate(phones)}
    table = PhoneTable.by_utterance(decoded)
    edges = BoundaryTable.by_utterance(boundaries)["boundaries_frames"]
    found = []
    for utterance in segments.utterances:
        if utterance not in table.index or utterance not in edges.index:
            raise UserError(f"{decoded}: there is no utterance {utterance}. {AGAIN}")
        row, edge = table.loc[utterance], edges[utterance]
        if row["frames"] != edge[-1] or not len(row["phones"]):
            raise UserError(
                f"{decoded}: utterance {utterance} has {row['frames']} frames with {len(row['phones'])} phones, but "
                f"{edge[-1]} frames in {boundaries}: they come from different runs. {AGAIN}"
            )
        if unknown := set(row["phones"]) - ids.keys():
            raise UserError(
                f"{decoded} has the phones {', '.join(sorted(unknown)[:5])}, which are not in the inventory: it was "
                "made from other text. Delete it and run the workflow again."
            )
        lengths = np.diff(np.append(row["starts_frames"], row["frames"]))
        frames = np.repeat([ids[phone] for phone in row["phones"]], lengths)
        counts = np.zeros((len(edge) - 1, len(phones)), dtype=np.int32)
        np.add.at(counts, (np.repeat(np.arange(len(edge) - 1), np.diff(edge)), frames), 1)
        found.append(counts.argmax(axis=1))
    return Sequences(np.concatenate(found).astype(np.int64), segments.offsets, device)


def warm_start(
    weights: Weights, statistics: Weights, audio: Sequences, labels: Sequences, seeds: list[int]
) -> torch.Tensor:
    """Train the generators of all runs, in place, on labels of segments; return their last cross entropies, (N,).

    Only for a stride of 1: one output per segment.
    """
    optimizer = Adam(weights, 0.0)
    trained = list(weights.values())
    losses = torch.zeros(len(seeds))
    for update in range(UPDATES):
        streams = RandomStreams(seeds, update, audio.data.device)
        numbers = audio.draw(streams, BATCH)
        features, lengths = audio.batch(numbers)
        targets, _ = labels.batch(numbers)
        for weight in trained:
            weight.requires_grad_()
        masks = (torch.ones_like(features, dtype=torch.float32),) * 2
        logits = generate(weights, statistics, 1, features.float(), lengths, masks).logits.log_softmax(-1)
        likelihood = logits.gather(-1, targets[..., None])[..., 0] * (1 - SMOOTHING) + logits.mean(-1) * SMOOTHING
        inside = mask_of(lengths, targets.shape[2])
        losses = -(likelihood * inside).sum((1, 2)) / inside.sum((1, 2))
        gradients = torch.autograd.grad(losses.sum(), trained, allow_unused=True)
        for weight in trained:
            weight.requires_grad_(False)
        rates = torch.full((len(seeds),), RATE * (1 - update / UPDATES), device=losses.device)
        found = [
            torch.zeros_like(weight) if one is None else one for weight, one in zip(trained, gradients, strict=True)
        ]
        optimizer.step(found, rates)
    return losses.detach()
