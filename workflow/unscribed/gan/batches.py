"""Padded batches of audio and text, drawn for every run by its own seed.

All chance of an update follows from the run's seed and the update's number: a run resumes exactly, and does the same
alone as beside others.
Dimensions: N runs, B batch, S segments, T tokens, D features, V phones.
"""

from pathlib import Path

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore, blocks
from unscribed.gan.layers import mask_of

Tensor = torch.Tensor


WINDOW_BATCHES = 8  # batches per window of similar lengths: larger mixes more, smaller pads less


class Sequences:
    """Sequences of vectors (D) or ids on a device, by number.

    `data` (total, D) or (total,), sequence i at offsets[i] : offsets[i + 1].
    """

    def __init__(self, data: np.ndarray, offsets: np.ndarray, device: torch.device) -> None:
        self.data = torch.from_numpy(data).to(device)
        self.offsets = torch.from_numpy(np.asarray(offsets, dtype=np.int64)).to(device)
        self.lengths = self.offsets[1:] - self.offsets[:-1]
        order = self.lengths.argsort(stable=True)
        self.by_length = order[self.lengths[order] > 0]  # what is empty is never drawn

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def draw(self, chance: "Chance", size: int) -> Tensor:
        """Numbers (N, size) of sequences of about one length, drawn with replacement.

        All runs of an update get the same length, by quantile and so for audio and text alike: little padding, and no
        difference of length for the discriminator to go by.
        """
        window = min(len(self.by_length), size * WINDOW_BATCHES)
        first = int(chance.quantile * (len(self.by_length) - window + 1))
        return self.by_length[first + chance.integers(window, size)]

    def batch(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """The sequences of these numbers (N, B), padded with zeros, and their lengths (N, B)."""
        lengths = self.lengths[numbers]
        width = int(lengths.max())
        inside = mask_of(lengths, width)
        places = (self.offsets[numbers][..., None] + torch.arange(width, device=numbers.device)) * inside
        found = self.data[places]
        return found * inside.view(*inside.shape, *[1] * (found.ndim - inside.ndim)), lengths


def read_segments(path: Pathlike, device: torch.device) -> Sequences:
    """The representations of all segments; on a CPU they stay on the disk, and batches are read from there.

    Raises UserError for an empty store and for NaN or infinite values, naming the utterance.
    """
    store = FrameStore(path)
    if not len(store.data):
        raise UserError(f"{path} holds nothing: check the audio and the stages before.")
    for first, last in blocks(store):
        start, end = store.offsets[first], store.offsets[last]
        finite = np.isfinite(store.data[start:end]).all(axis=1)
        if not finite.all():
            row = start + int(np.flatnonzero(~finite)[0])
            utterance = store.utterances[int(np.searchsorted(store.offsets, row, side="right")) - 1]
            raise UserError(
                f"{path}: the representations of utterance {utterance} have NaN or infinite values. Look at its "
                "audio and its rows in features/; delete the store and run its stage again."
            )
    data = np.load(path, mmap_mode="c")  # copy on write: torch wants memory it may write to
    return Sequences(data, store.offsets, device)


def read_sentences(path: Pathlike, phones: list[str], device: torch.device) -> Sequences:
    """The phone text as ids of `phones`. Raises UserError for unknown phones and for a text of one phone."""
    ids = {phone: number for number, phone in enumerate(phones)}
    sentences = [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    used = {phone for sentence in sentences for phone in sentence}
    if unknown := used - ids.keys():
        raise UserError(
            f"{path} has the phones {', '.join(sorted(unknown)[:5])}, which are not in the inventory: the two come "
            "from different text. Delete both and run the stage phonemize again."
        )
    if len(used) < 2:
        raise UserError(
            f"{path} consists of {'one phone' if used else 'nothing'}: any audio would look like it. Check the "
            "text and the language of corpus.language."
        )
    offsets = np.concatenate([[0], np.cumsum([len(sentence) for sentence in sentences])])
    flat = np.array([ids[phone] for sentence in sentences for phone in sentence], dtype=np.int64)
    return Sequences(flat, offsets, device)


def read_targets(path: Pathlike, audio: FrameStore, device: torch.device) -> tuple[Sequences, int]:
    """The pseudo-label of every frame of `audio`, and the number of labels, from a store of cluster ids.

    Found by the utterance's name and by time: a frame gets the label of the frame in whose middle its own is,
    whatever the two frame rates. Raises UserError for missing utterances and for ones of other lengths.
    """
    labels = FrameStore(path)
    place = {utterance: number for number, utterance in enumerate(labels.utterances)}
    ratio = audio.metadata.get("hop_ms", 1.0) / labels.metadata.get("hop_ms", 1.0)
    found = []
    for number, utterance in enumerate(audio.utterances):
        if utterance not in place:
            raise UserError(f"{path}: there is no utterance {utterance} of {audio.path}. Run the stage kmeans again.")
        ids, frames = labels[place[utterance]][:, 0], len(audio[number])
        if abs(frames * ratio - len(ids)) > 1 + ratio:
            raise UserError(
                f"{path}: utterance {utterance} has {len(ids)} pseudo-labels for {frames} frames in {audio.path}: they "
                "come from different audio. Run the stages features and kmeans again."
            )
        times = ((np.arange(frames) + 0.5) * ratio).astype(np.int64)
        found.append(ids[np.minimum(times, len(ids) - 1)])
    flat = np.concatenate(found).astype(np.int64)
    return Sequences(flat, audio.offsets, device), int(labels.metadata.get("clusters", flat.max() + 1))


class Chance:
    """Random numbers of N runs for one update: draws depend on the run's seed, the update and the run's own lengths."""

    def __init__(self, seeds: list[int], update: int, device: torch.device) -> None:
        self.device = device
        self.quantile = float(np.random.default_rng(update).random())
        self.generators = [torch.Generator(device) for _ in seeds]
        for generator, seed in zip(self.generators, seeds, strict=True):
            state = np.random.SeedSequence([seed, update]).generate_state(1, np.uint64)[0]
            generator.manual_seed(int(state >> np.uint64(1)))

    def integers(self, high: int, size: int) -> Tensor:
        """Integers below `high`, (N, size)."""
        drawn = [torch.randint(high, (size,), generator=one, device=self.device) for one in self.generators]
        return torch.stack(drawn)

    def uniform(self, size: int) -> Tensor:
        """Uniform numbers in [0, 1), (N, size)."""
        return torch.stack([torch.rand(size, generator=one, device=self.device) for one in self.generators])

    def uniform_padded(self, lengths: Tensor) -> Tensor:
        """Uniform numbers for padded sequences of `lengths` (N, B): (N, B, longest), zero beyond each run's longest."""
        longest = lengths.amax(1).tolist()
        drawn = torch.zeros(*lengths.shape, max(longest), device=self.device)
        for run, (width, one) in enumerate(zip(longest, self.generators, strict=True)):
            drawn[run, :, :width] = torch.rand(lengths.shape[1], width, generator=one, device=self.device)
        return drawn

    def dropout(self, lengths: Tensor, dims: int, rate: float) -> Tensor:
        """A mask (N, B, longest, D) that is 0 with probability `rate` and 1 / (1 - rate) otherwise."""
        longest = lengths.amax(1).tolist()
        mask = torch.zeros(*lengths.shape, max(longest), dims, device=self.device)
        for run, (width, one) in enumerate(zip(longest, self.generators, strict=True)):
            kept = torch.empty(lengths.shape[1], width, dims, device=self.device).bernoulli_(1 - rate, generator=one)
            mask[run, :, :width] = kept
        return mask.div_(1 - rate)
