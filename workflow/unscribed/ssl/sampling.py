"""Plan the batches of pretraining: languages drawn by their share (XLSR §3.2), utterances of similar length together.

The batches of an epoch depend only on the lengths, the settings, the seed and the epoch's number, so that a resumed
training continues with the batches that it would have had.
Dimensions: U utterances, B utterances of a batch, N samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unscribed.ssl.waveform import Speech, normalized

BUCKET_BATCHES = 50  # batches per length-sorted bucket: larger crops less off, smaller shuffles more


@dataclass(frozen=True)
class Batch:
    """The utterances of a batch."""

    members: np.ndarray  # (B, 2): index of the language, index of the utterance within it
    samples: int  # length that every utterance is cropped to


class Languages:
    """The audio of all languages, and the batches of each epoch.

    Arguments: `names` of the languages and the `speech` of each; `shortest`, in samples: shorter utterances are left
    out; `samples`: longer utterances are cropped to this; `batch_samples` per batch. `probabilities` (languages,) are
    p_l ∝ (n_l / N)^alpha, where n_l are the hours of a language and N those of all (XLSR §3.2).
    Raises ValueError with the name of a language that has no utterance left.
    """

    def __init__(
        self,
        names: Sequence[str],
        speech: Sequence[Speech],
        shortest: int,
        samples: int,
        alpha: float,
        batch_samples: float,
        seed: int,
    ) -> None:
        self.names, self.speech = list(names), list(speech)
        self.samples, self.batch_samples, self.seed = samples, batch_samples, seed
        self.kept = [np.flatnonzero(part.lengths >= shortest) for part in self.speech]
        self.left_out = [len(part) - len(kept) for part, kept in zip(self.speech, self.kept, strict=True)]
        for name, kept in zip(self.names, self.kept, strict=True):
            if not len(kept):
                raise ValueError(name)
        self.amounts = np.array([part.lengths[kept].sum() for part, kept in zip(self.speech, self.kept, strict=True)])
        shares = (self.amounts / self.amounts.sum()) ** alpha
        self.probabilities = shares / shares.sum()

    def batches(self, epoch: int) -> list[Batch]:
        """Plan the batches of an epoch, which has about as many hours as all audio.

        With alpha below 1, utterances of small languages repeat and some of large ones are skipped. All utterances of a
        batch are cropped to the shortest of them, and as many are put into it as then fit into `batch_samples`.
        """
        generator = np.random.default_rng([self.seed, epoch])
        drawn = [
            np.stack([np.full(len(numbers), language), numbers], axis=1)
            for language in range(len(self.names))
            if len(numbers := self._drawn(language, generator))
        ]
        members = generator.permutation(np.concatenate(drawn))
        lengths = self._crop_lengths(members)
        per_bucket = max(1, round(BUCKET_BATCHES * self.batch_samples / lengths.mean()))
        plan: list[Batch] = []
        for start in range(0, len(members), per_bucket):
            bucket = slice(start, start + per_bucket)
            order = np.argsort(-lengths[bucket], kind="stable")
            plan.extend(self._filled(members[bucket][order], lengths[bucket][order]))
        return [plan[number] for number in generator.permutation(len(plan))]

    def _drawn(self, language: int, generator: np.random.Generator) -> np.ndarray:
        """Draw utterances of a language for an epoch: shuffled whole passes, then a part of one more."""
        kept = self.kept[language]
        passes = self.probabilities[language] * self.amounts.sum() / self.amounts[language]
        wanted = max(1, round(passes * len(kept)))
        orders = [generator.permutation(kept) for _ in range(-(-wanted // len(kept)))]
        return np.concatenate(orders)[:wanted]

    def _filled(self, members: np.ndarray, lengths: np.ndarray) -> Iterator[Batch]:
        """Fill batches from utterances that are sorted by falling length."""
        first = 0
        for last in range(1, len(members) + 1):
            full = last == len(members) or (last + 1 - first) * lengths[last] > self.batch_samples
            if full:
                yield Batch(members[first:last], int(lengths[last - 1]))
                first = last

    def _crop_lengths(self, members: np.ndarray) -> np.ndarray:
        """Lengths (U,) in samples of the utterances (U, 2), at most that of the longest crop."""
        lengths = np.empty(len(members), dtype=np.int64)
        for language, part in enumerate(self.speech):
            rows = members[:, 0] == language
            lengths[rows] = part.lengths[members[rows, 1]]
        return np.minimum(lengths, self.samples)

    def waves(self, batch: Batch, generator: np.random.Generator) -> np.ndarray:
        """Read the utterances of a batch, normalise them, then crop them at random positions, (B, N) float32."""
        rows = []
        for language, number in batch.members:
            wave = normalized(self.speech[language][number])
            start = int(generator.integers(len(wave) - batch.samples + 1))
            rows.append(wave[start : start + batch.samples])
        return np.stack(rows)


class Stream:
    """The endless sequence of batches through all epochs, by number; an epoch is planned when it is reached."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.starts = [0]
        self.plan: list[Batch] = []
        self.epoch = -1

    def __getitem__(self, number: int) -> Batch:
        """Batch `number` of the training; it must not belong to an earlier epoch than the batch before."""
        while self.epoch < 0 or number >= self.starts[-1]:
            self.epoch += 1
            self.plan = self.languages.batches(self.epoch)
            self.starts.append(self.starts[-1] + len(self.plan))
        return self.plan[number - self.starts[-2]]
