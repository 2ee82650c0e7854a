"""Padded batches of audio and text, drawn for each run with its own seed.

The random numbers of an update depend only on the run's seed and the update's number: a resumed run continues exactly,
and a run gives the same result alone as beside others.
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
    """Sequences of vectors (D) or ids on a device, one after the other in one tensor.

    `data` (total, D) or (total,); sequence i is data[offsets[i] : offsets[i + 1]].
    """

    def __init__(self, data: np.ndarray, offsets: np.ndarray, device: torch.device) -> None:
        self.data = torch.from_numpy(data).to(device)
        self.offsets = torch.from_numpy(np.asarray(offsets, dtype=np.int64)).to(device)
        self.lengths = self.offsets[1:] - self.offsets[:-1]
        order = self.lengths.argsort(stable=True)
        self.by_length = order[self.lengths[order] > 0]  # empty sequences are never drawn

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def draw(self, streams: "RandomStreams", size: int) -> Tensor:
        """Draw the numbers (N, size) of sequences of similar lengths, with replacement.

        An update has one quantile of the lengths, for all runs and for audio and text alike: batches need little
        padding, and audio and text differ little in length, so that the discriminator does not learn from lengths.
        """
        window = min(len(self.by_length), size * WINDOW_BATCHES)
        first = int(streams.quantile * (len(self.by_length) - window + 1))
        return self.by_length[first + streams.integers(window, size)]

    def batch(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sequences with these numbers (N, B), padded with zeros, and their lengths (N, B)."""
        lengths = self.lengths[numbers]
        width = int(lengths.max())
        inside = mask_of(lengths, width)
        places = (self.offsets[numbers][..., None] + torch.arange(width, device=numbers.device)) * inside
        found = self.data[places]
        return found * inside.view(*inside.shape, *[1] * (found.ndim - inside.ndim)), lengths


def read_segments(path: Pathlike, device: torch.device) -> Sequences:
    """Read the representations of all segments; on a CPU they stay on disk, and batches are read from there.

    Raises UserError for an empty store and for NaN or infinite values, naming the utterance.
    """
    store = FrameStore(path)
    if not len(store.data):
        raise UserError(f"{path} is empty: check the audio and the logs of the earlier stages.")
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
    """Read the phone text as ids of `phones`. Raises UserError for unknown phones and for a text of one phone."""
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
    """Read the pseudo-label of every frame of `audio`, and the number of clusters, from a store of cluster ids.

    Utterances are matched by name and frames by time, as the two rates may differ (MFCCs every 10 ms, learned features
    every 20 ms): a frame of `audio` gets the label of the store's frame that contains its middle. Raises UserError for
    missing utterances and for ones of other lengths.
    """
    labels = FrameStore(path)
    place = {utterance: number for number, utterance in enumerate(labels.utterances)}
    ratio = audio.metadata.get("hop_ms", 1.0) / labels.metadata.get("hop_ms", 1.0)
    found = []
    for number, utterance in enumerate(audio.utterances):
        if utterance not in place:
            raise UserError(f"{path} has no utterance {utterance} of {audio.path}. Run the stage gan again.")
        ids, frames = labels[place[utterance]][:, 0], len(audio[number])
        if abs(frames * ratio - len(ids)) > 1 + ratio:
            raise UserError(
                f"{path}: utterance {utterance} has {len(ids)} pseudo-labels for {frames} frames in {audio.path}: they "
                "come from different audio. Run the stages features and gan again."
            )
        times = ((np.arange(frames) + 0.5) * ratio).astype(np.int64)
        found.append(ids[np.minimum(times, len(ids) - 1)])
    flat = np.concatenate(found).astype(np.int64)
    return Sequences(flat, audio.offsets, device), int(labels.metadata.get("clusters", flat.max() + 1))


class RandomStreams:
    """Random numbers of N runs for one update.

    A run's numbers depend on its seed, the update and its own lengths; `quantile`, in [0, 1), on the update alone.
    """

    def __init__(self, seeds: list[int], update: int, device: torch.device) -> None:
        self.device = device
        self.quantile = float(np.random.default_rng(update).random())
        self.generators = [torch.Generator(device) for _ in seeds]
        for generator, seed in zip(self.generators, seeds, strict=True):
            state = np.random.SeedSequence([seed, update]).generate_state(1, np.uint64)[0]
            generator.manual_seed(int(state >> np.uint64(1)))

    def integers(self, high: int, size: int) -> Tensor:
        """Draw integers below `high`, (N, size)."""
        drawn = [torch.randint(high, (size,), generator=one, device=self.device) for one in self.generators]
        return torch.stack(drawn)

    def uniform(self, size: int) -> Tensor:
        """Draw uniform numbers in [0, 1), (N, size)."""
        return torch.stack([torch.rand(size, generator=one, device=self.device) for one in self.generators])

    def uniform_padded(self, lengths: Tensor) -> Tensor:
        """Draw uniform numbers for sequences of `lengths` (N, B): (N, B, longest), zero beyond each run's longest."""
        longest = lengths.amax(1).tolist()
        drawn = torch.zeros(*lengths.shape, max(longest), device=self.device)
        for run, (width, one) in enumerate(zip(longest, self.generators, strict=True)):
            drawn[run, :, :width] = torch.rand(lengths.shape[1], width, generator=one, device=self.device)
        return drawn

    def dropout(self, lengths: Tensor, dims: int, rate: float) -> Tensor:
        """Draw a mask (N, B, longest, D) that is 0 with probability `rate` and 1 / (1 - rate) otherwise."""
        longest = lengths.amax(1).tolist()
        mask = torch.zeros(*lengths.shape, max(longest), dims, device=self.device)
        for run, (width, one) in enumerate(zip(longest, self.generators, strict=True)):
            kept = torch.empty(lengths.shape[1], width, dims, device=self.device).bernoulli_(1 - rate, generator=one)
            mask[run, :, :width] = kept
        return mask.div_(1 - rate)
