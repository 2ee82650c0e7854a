"""Transcribed audio for fine-tuning: targets, features of the frozen CNN encoder, batches of similar lengths.

Dimensions: U utterances, N samples, B utterances of a batch, T frames, C channels of the CNN encoder.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

import numpy as np
import pandas as pd
import torch
from torch.nn.utils.rnn import pad_sequence

from unscribed.artifacts import Pathlike
from unscribed.ctc.labels import UNKNOWN
from unscribed.ctc.model import CtcBatch, needed_frames
from unscribed.errors import UserError
from unscribed.ssl.checkpoint import Checkpoint
from unscribed.ssl.waveform import Speech, frames_of, normalized, qualified
from unscribed.tables import PseudoLabelTable

log = logging.getLogger(__name__)

CACHE_BYTES = 2 * 2**30  # memory for CNN features: 11 h of audio with 512 channels and frames of 20 ms
LENGTH_NOISE = 0.1  # random change of lengths before sorting, as a share: larger mixes batches more and pads more
EPOCH_STREAM = 2**40  # random streams of the epochs; never an update number

CnnEncoder = Callable[[np.ndarray], torch.Tensor]  # samples (N,) to features (T, C)


class Examples:
    """U utterances with their targets. Attributes: `names`; `targets`; `frames` (U,) int64; `seconds` of a frame.

    Features are computed once per utterance, as nothing random comes before them, and kept in half precision as far as
    `CACHE_BYTES` go; the others are computed again every time, and rounded alike.
    """

    def __init__(
        self,
        speech: Speech,
        numbers: Sequence[int],
        targets: Sequence[np.ndarray],
        checkpoint: Checkpoint,
        encode: CnnEncoder,
    ) -> None:
        self.speech, self.numbers, self.targets, self.encode = speech, list(numbers), list(targets), encode
        self.normalize = checkpoint.normalize
        self.names = [speech.utterances[number] for number in self.numbers]
        self.frames = frames_in(speech, checkpoint)[self.numbers]
        self.seconds = checkpoint.hop_samples / speech.sample_rate_hz
        self.cache: dict[int, torch.Tensor] = {}
        self.room = CACHE_BYTES

    def __len__(self) -> int:
        return len(self.names)

    @property
    def hours(self) -> float:
        """How much speech this is."""
        return float(self.frames.sum()) * self.seconds / 3600

    def features(self, index: int) -> torch.Tensor:
        """Features of an utterance by the CNN encoder, (T, C) float16 on the CPU."""
        if index in self.cache:
            return self.cache[index]
        samples = self.speech[self.numbers[index]]
        found = self.encode(normalized(samples) if self.normalize else samples).to("cpu", torch.float16)
        self.room -= found.nbytes
        if self.room >= 0:
            self.cache[index] = found
        return found

    def batch(self, picked: np.ndarray) -> CtcBatch:
        """The utterances at these places as one padded batch."""
        targets = [self.targets[index] for index in picked]
        return CtcBatch(
            pad_sequence([self.features(index) for index in picked], batch_first=True).float(),
            torch.from_numpy(self.frames[picked]),
            torch.from_numpy(np.concatenate(targets)),
            torch.tensor([len(target) for target in targets]),
        )


def frames_in(speech: Speech, checkpoint: Checkpoint) -> np.ndarray:
    """Frames that the CNN encoder makes of each utterance, (U,) int64."""
    return frames_of(torch.from_numpy(speech.lengths), checkpoint.kernels, checkpoint.strides).numpy()


def joined_labels(paths: Sequence[Pathlike]) -> pd.DataFrame:
    """Tables of labels, one for each language, as one whose utterances have the names of `Speech.joined`."""
    tables = [PseudoLabelTable.read(path) for path in paths]
    names = [qualified(table["utterance"], number, len(paths)) for number, table in enumerate(tables)]
    return pd.concat([table.assign(utterance=found) for table, found in zip(tables, names, strict=True)])


def read_examples(
    paths: Sequence[Pathlike],
    speech: Speech,
    checkpoint: Checkpoint,
    encode: CnnEncoder,
    vocab: Mapping[str, int],
    units: str,
    min_confidence: float,
    limit: int | None = None,
) -> Examples:
    """Read the utterances of tables of labels that can be trained on; with `limit`, only so many, evenly spaced.

    Utterances below `min_confidence`, with symbols that `vocab` lacks (if it has no `<unk>`), or with more symbols than
    their frames can hold are left out and counted in the log. Raises UserError if nothing is left.
    """
    table, labels = joined_labels(paths), " and ".join(map(str, paths))
    if unknown := set(table["utterance"]) - speech.numbers.keys():
        raise UserError(
            f"{labels} has {len(unknown)} utterances that the manifest lacks, for example {min(unknown)}: the two come "
            f"from different runs. Delete {labels} and run its stage again."
        )
    frames = frames_in(speech, checkpoint)
    numbers: list[int] = []
    targets: list[np.ndarray] = []
    left_out = dict.fromkeys(("below finetune.min_confidence", "with unknown symbols", "longer than their audio"), 0)
    doubtful, strange, long = left_out
    for row in table.itertuples():
        known = [vocab.get(symbol, vocab.get(UNKNOWN)) for symbol in getattr(row, units)]
        number = speech.numbers[row.utterance]
        if row.confidence < min_confidence:
            left_out[doubtful] += 1
        elif None in known or not known:
            left_out[strange] += 1
        elif needed_frames(target := np.array(known, dtype=np.int64)) > frames[number]:
            left_out[long] += 1
        else:
            numbers.append(number)
            targets.append(target)
    counts = ", ".join(f"{number} {reason}" for reason, number in left_out.items())
    if not numbers:
        raise UserError(
            f"{labels}: none of its {len(table)} utterances can be learned from ({counts}). Lower "
            "finetune.min_confidence, or check that the transcripts belong to the audio."
        )
    log.info("%s: %d utterances; left out: %s", labels, len(numbers), counts)
    if limit is not None and limit < len(numbers):
        kept = np.linspace(0, len(numbers) - 1, limit).round().astype(int)
        numbers, targets = [numbers[place] for place in kept], [targets[place] for place in kept]
    return Examples(speech, numbers, targets, checkpoint, encode)


def pack(order: np.ndarray, frames: np.ndarray, room: float) -> list[np.ndarray]:
    """Cut utterances, in this order, into batches of at most `room` frames, padding included.

    An utterance longer than that is a batch of its own.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in order.tolist():
        longest = max(longest, int(frames[index]))
        if not batches or longest * (len(batches[-1]) + 1) > room:
            batches.append([])
            longest = int(frames[index])
        batches[-1].append(index)
    return [np.array(batch) for batch in batches]


def epochs(frames: np.ndarray, room: float, seed: int) -> Iterator[np.ndarray]:
    """Yield batches without end; in every epoch all utterances, in batches that depend on (seed, epoch)."""
    for epoch in count():
        generator = np.random.default_rng((seed, EPOCH_STREAM + epoch))
        noise = generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(frames))
        batches = pack(np.argsort(frames * noise, kind="stable"), frames, room)
        for place in generator.permutation(len(batches)):
            yield batches[place]
