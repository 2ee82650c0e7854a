"""Which utterances make a batch: languages by their share (XLSR §3.2), lengths alike, everything from (seed, epoch).

A batch plan depends on nothing but the lengths, the settings and the epoch: a killed training finds its place again.
Dimensions: U utterances, B utterances of a batch, N samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unscribed.ssl.waveform import Speech, normalized

BUCKET_BATCHES = 50  # as many batches are filled from utterances sorted by length; more sort better, and mix less


@dataclass(frozen=True)
class Batch:
    """Utterances (language, number) (B, 2) and the samples that each is cropped to."""

    members: np.ndarray
    samples: int


class Languages:
    """The audio of all languages, and the batches of each epoch.

    `names` of the languages and their `speech`; `samples` is the longest crop; utterances shorter than `shortest`
    samples are left out. `probabilities` (languages,) are p_l ∝ (n_l / N)^alpha, where n_l are the hours (XLSR §3.2).
    Raises ValueError, whose text is its name, if a language has nothing left.
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
        """The batches of an epoch, which is as long as all audio once; rare languages repeat, others are not whole.

        Batches hold as many utterances as fit `batch_samples` when they are cropped to their shortest.
        """
        generator = np.random.default_rng([self.seed, epoch])
        drawn = [
            np.stack([np.full(len(found), language), found], axis=1)
            for language in range(len(self.names))
            if len(found := self._drawn(language, epoch, generator))
        ]
        members = generator.permutation(np.concatenate(drawn))
        lengths = self.lengths_of(members)
        per_bucket = max(1, round(BUCKET_BATCHES * self.batch_samples / lengths.mean()))
        plan: list[Batch] = []
        for start in range(0, len(members), per_bucket):
            bucket = slice(start, start + per_bucket)
            order = np.argsort(-lengths[bucket], kind="stable")
            plan.extend(self._filled(members[bucket][order], lengths[bucket][order]))
        return [plan[place] for place in generator.permutation(len(plan))]

    def _drawn(self, language: int, epoch: int, generator: np.random.Generator) -> np.ndarray:
        """Utterances of a language for an epoch: whole passes in new orders, and a part of one more."""
        kept = self.kept[language]
        passes = self.probabilities[language] * self.amounts.sum() / self.amounts[language]
        wanted = max(1, round(passes * len(kept)))
        orders = [generator.permutation(kept) for _ in range(-(-wanted // len(kept)))]
        return np.concatenate(orders)[:wanted]

    def _filled(self, members: np.ndarray, lengths: np.ndarray) -> Iterator[Batch]:
        """Batches of utterances that are sorted by falling length."""
        first = 0
        for last in range(1, len(members) + 1):
            full = last == len(members) or (last + 1 - first) * lengths[last] > self.batch_samples
            if full:
                yield Batch(members[first:last], int(lengths[last - 1]))
                first = last

    def lengths_of(self, members: np.ndarray) -> np.ndarray:
        """How many samples the crops of the utterances (U, 2) have at most."""
        found = np.empty(len(members), dtype=np.int64)
        for language, part in enumerate(self.speech):
            rows = members[:, 0] == language
            found[rows] = part.lengths[members[rows, 1]]
        return np.minimum(found, self.samples)

    def waves(self, batch: Batch, generator: np.random.Generator) -> np.ndarray:
        """The utterances of a batch, normalised and then cropped at random places, (B, N) float32."""
        rows = []
        for language, number in batch.members:
            wave = normalized(self.speech[language][number])
            start = int(generator.integers(len(wave) - batch.samples + 1))
            rows.append(wave[start : start + batch.samples])
        return np.stack(rows)


class Stream:
    """The endless row of batches through all epochs, by number; epochs are planned when they are reached."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.starts = [0]
        self.plan: list[Batch] = []
        self.epoch = -1

    def __getitem__(self, number: int) -> Batch:
        """Batch `number` of the training. Numbers must not go back behind the epoch of the last one asked for."""
        while self.epoch < 0 or number >= self.starts[-1]:
            self.epoch += 1
            self.plan = self.languages.batches(self.epoch)
            self.starts.append(self.starts[-1] + len(self.plan))
        return self.plan[number - self.starts[-2]]
