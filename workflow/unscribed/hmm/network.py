"""Networks beside the Gaussians of a step: classifiers of frames, trained on the labels that the step learns from.

They see half a second where Gaussians see a few frames, and err differently. A network that has seen an utterance with
its label would only repeat that label, errors included. So there is one network per fold of the utterances, trained on
the others, and what scores an utterance has never seen it (cross-labelling). Utterances that none of them has seen, as
those of valid and test, are scored by all.
Dimensions: B utterances of a batch, T frames, D features, V phones, F folds.
"""

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unscribed.acoustic.network import FrameNetwork
from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.acoustic.network_training import Batch, crops, stretched, updates
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.hmm.labels import Labelled

log = logging.getLogger(__name__)

FOLDS = 2
LONGEST_HOP_MS = 20.0  # of the outputs: frames every 10 ms are taken in pairs
PRIOR_WEIGHT = 0.5  # of the phones' log prior, taken from the log posteriors: half, as for the teacher
WEIGHT = 2.0  # of a network's score beside the log likelihood of the Gaussians, frame by frame
STRETCHES = (0.85, 1.18)  # of time
MASKED_MS, MASKS, MASKED_FEATURES = 150.0, 2, 8  # longest and widest part that is hidden, as in SpecAugment


@dataclass(frozen=True)
class Networks:
    """One network per fold, in eval mode; `log_priors` (F, V) of what they learned, `scale` (D,) of the frames.

    `learned` are the `key_of` all utterances that they learned from, in rising order.
    """

    networks: Sequence[FrameNetwork]
    log_priors: np.ndarray
    scale: np.ndarray
    learned: np.ndarray

    @property
    def sizes(self) -> dict[str, int | float]:
        """What the networks, which are of one size, are made with again."""
        return self.networks[0].sizes

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all weights by name, for the file of a model."""
        found = {
            f"network{fold}.{name}": value.numpy()
            for fold, network in enumerate(self.networks)
            for name, value in network.state_dict().items()
        }
        return found | {"log_priors": self.log_priors, "learned": self.learned}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray], sizes: Mapping[str, Any], scale: np.ndarray) -> "Networks":
        """Make networks of `sizes` with the weights of a model's file."""
        networks = []
        for fold in range(FOLDS):
            start = f"network{fold}."
            network = FrameNetwork(**sizes)
            network.load_state_dict(
                {
                    name.removeprefix(start): torch.from_numpy(value.copy())
                    for name, value in tensors.items()
                    if name.startswith(start)
                }
            )
            networks.append(network.eval())
        return cls(networks, tensors["log_priors"], scale, tensors["learned"])

    def unbiased(self, utterance: str) -> Sequence[int]:
        """Return the folds whose networks have not learned from an utterance: its own, or all if none has."""
        key = key_of(utterance)
        place = int(np.searchsorted(self.learned, key))
        known = place < len(self.learned) and self.learned[place] == key
        return [fold_of(utterance)] if known else range(FOLDS)

    @torch.inference_mode()
    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute the mean of what networks add to the log likelihood of each phone in an utterance, (T, V) float32."""
        torch.set_num_threads(1)  # utterances are decoded in parallel
        x = torch.from_numpy(store[number] / self.scale)[None]
        lengths, total, folds = torch.tensor([x.shape[1]]), 0.0, self.unbiased(store.utterances[number])
        for fold in folds:
            logits, _ = self.networks[fold](x, lengths)
            total = total + logits[0].log_softmax(-1).numpy() - np.float32(PRIOR_WEIGHT) * self.log_priors[fold]
        rows = np.float32(WEIGHT / len(folds)) * total
        return rows.repeat(self.networks[0].stride, axis=0)[: x.shape[1]]


def key_of(utterance: str) -> int:
    """Return a number that tells an utterance from others, by its name alone."""
    return zlib.crc32(utterance.encode())


def fold_of(utterance: str) -> int:
    """Return the fold of an utterance, which depends on its name alone and not on what else the corpus has."""
    return key_of(utterance) % FOLDS


def train_networks(
    store: FrameStore,
    labelled: Sequence[Labelled],
    scale: np.ndarray,
    phones: int,
    settings: NetworkSettings,
    seed: int,
    threads: int,
) -> Networks:
    """Train one network per fold on the labelled utterances of the other folds; `phones` is the number V.

    Raises UserError if a fold has no other to learn from, and if a loss is not finite.
    """
    torch.set_num_threads(threads)
    stride = max(1, int(LONGEST_HOP_MS // store.metadata["hop_ms"]))
    networks, log_priors = [], []
    for fold in range(FOLDS):
        others = [item for item in labelled if fold_of(store.utterances[item.number]) != fold]
        if not others:
            raise UserError(
                f"{store.path} has {len(labelled)} utterance(s) with labels, too few to learn from one part and to "
                "label the other: give more recordings, or set hmm.steps without `network`."
            )
        torch.manual_seed(seed + fold)
        network = FrameNetwork(store.data.shape[1], settings.channels, phones, settings.dropout, stride)
        data = LabelledFrames(store, others, scale)
        losses = list(updates(network, lambda draws, data=data: data.batch(settings, draws), settings, seed + fold))
        mean = float(torch.stack(losses[-100:]).mean())
        if not np.isfinite(mean):
            raise UserError(f"the loss of a network is {mean}: lower teacher.learning_rate.")
        log.info("network of fold %d: %d utterances, last losses %.3f on average", fold, len(others), mean)
        counts = np.bincount(np.concatenate(data.labels), minlength=phones) + 1.0
        networks.append(network.eval())
        log_priors.append(np.log(counts / counts.sum()))
    learned = np.unique(np.array([key_of(store.utterances[item.number]) for item in labelled], dtype=np.int64))
    return Networks(networks, np.array(log_priors, dtype=np.float32), scale, learned)


class LabelledFrames:
    """Utterances of a store with the phone (0 … V - 1) of each frame."""

    def __init__(self, store: FrameStore, labelled: Sequence[Labelled], scale: np.ndarray) -> None:
        self.store, self.scale = store, scale
        self.numbers = [item.number for item in labelled]
        self.labels = [
            np.repeat(item.phone_ids.astype(np.int64) - 1, np.diff(np.append(item.starts, store.lengths[item.number])))
            for item in labelled
        ]

    def batch(self, settings: NetworkSettings, generator: np.random.Generator) -> Batch:
        """Draw random parts of utterances, stretched in time, with some frames and features hidden."""
        chosen = generator.integers(len(self.numbers), size=settings.batch_utterances)
        hop = self.store.metadata["hop_ms"]
        longest = round(1000 * settings.max_seconds / hop)
        frames = [self.store[self.numbers[place]] / self.scale for place in chosen]
        x, labels, lengths = crops(frames, [self.labels[place] for place in chosen], longest, generator)
        factors = torch.from_numpy(generator.uniform(*STRETCHES, size=len(chosen)).astype(np.float32))
        x, labels, lengths = stretched(x, labels, lengths, factors)
        for _ in range(MASKS):
            x = hidden(x, 1, round(MASKED_MS / hop), generator)
        return hidden(x, 2, MASKED_FEATURES, generator), labels, lengths


def hidden(x: Tensor, dim: int, longest: int, generator: np.random.Generator) -> Tensor:
    """Set a random part of up to `longest` places along `dim` (1: frames, 2: features) of each x (B, T, D) to zero."""
    size = x.shape[dim]
    starts = torch.from_numpy(generator.integers(size, size=(len(x), 1)))
    lengths = torch.from_numpy(generator.integers(longest + 1, size=(len(x), 1)))
    places = torch.arange(size)[None]
    inside = (places >= starts) & (places < starts + lengths)
    return x.masked_fill(inside[:, :, None] if dim == 1 else inside[:, None], 0.0)
