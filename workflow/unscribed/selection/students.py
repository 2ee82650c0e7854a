"""Judge the phones of every candidate by the same means: how well they explain audio that nobody learned from.

Candidates decode differently: the matching and the teacher search frames with phone n-grams, the GAN takes the
likeliest phone of each segment. A score by n-grams alone takes the fluency of a search for quality, and what the
matching says has the statistics of the text even where it is wrong. So for each candidate a student, one Gaussian per
phone, learns its phones of most utterances and decodes the others, with the same n-grams and weights for all. The joint
log probability of audio and phones compares the candidates: fluent phones that do not fit the audio lose, and so do
phones that fit the audio and are no sentences.
Dimensions: T frames, D features, V phones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unscribed.acoustic.search import decode_utterances
from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams
from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.segmentation.segment import runs
from unscribed.text.silence import SILENCE

# Weight of the log-likelihood of 39 features every 10 ms, since neighbouring frames say the same. Larger trusts the
# audio more and the text less. Measured: 0.1 fails with 40 utterances, 0.4 prefers phones that only fit the audio.
ACOUSTIC_SCALE, DIMS, HOP_MS = 0.2, 39, 10.0
SEARCH = DecodeSettings(acoustic_scale=1.0, lm_weight=1.0, prior_weight=0.0, insertion_penalty=0.0, beam=8.0)
MAX_UTTERANCES = 1000  # drawn from larger splits; more take longer and hardly change the choice
FOLDS = 10  # parts of the utterances, each decoded by a student of the others: more leave more to learn from
SEED = 0  # of the parts; the same for all candidates
PRIOR_FRAMES = 10  # frames of the whole audio that each Gaussian learns beside its own; more make rare phones vaguer
FLOOR = 0.05  # smallest variance, as a share of that of the whole audio


@dataclass(frozen=True)
class Student:
    """A diagonal Gaussian per phone, `means` and `variances` (V, D); `scale` weighs its log-likelihoods."""

    phones: Sequence[str]
    means: np.ndarray
    variances: np.ndarray
    scale: float

    @classmethod
    def of(cls, sums: np.ndarray, phones: Sequence[str], hop_ms: float) -> "Student":
        """Learn from what `add_up` returns, of frames every `hop_ms`."""
        counts, sums, squares = sums[0, :, :1], sums[1], sums[2]
        mean, square = sums.sum(axis=0) / counts.sum(), squares.sum(axis=0) / counts.sum()
        means = (sums + PRIOR_FRAMES * mean) / (counts + PRIOR_FRAMES)
        variances = (squares + PRIOR_FRAMES * square) / (counts + PRIOR_FRAMES) - means**2
        lowest = FLOOR * np.maximum(square - mean**2, np.finfo(np.float32).tiny)
        scale = ACOUSTIC_SCALE * DIMS / sums.shape[1] * hop_ms / HOP_MS
        return cls(phones, means, np.maximum(variances, lowest), scale)

    def log_posteriors(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Compute log p(frame | phone) of the utterances `first` … `last` - 1, (T, V): the search asks for no more."""
        x = store.data[store.offsets[first] : store.offsets[last]].astype(np.float64)
        precisions = 1 / self.variances
        away = x**2 @ precisions.T - 2 * x @ (self.means * precisions).T + (self.means**2 * precisions).sum(axis=1)
        return -0.5 * (away + np.log(2 * np.pi * self.variances).sum(axis=1))

    def scores(self, log_posteriors: np.ndarray, settings: DecodeSettings) -> np.ndarray:
        """Compute scaled log-likelihoods, (T, V)."""
        return (settings.acoustic_scale * self.scale * log_posteriors).astype(np.float32)


def add_up(store: FrameStore, labels: np.ndarray, numbers: np.ndarray, phones: int) -> np.ndarray:
    """Add up number, values and squares of the frames of each phone in the utterances with these `numbers`, (3, V, D).

    `labels` (T,) are the phone ids of all frames of `store`.
    """
    total = np.zeros((3, phones, store.data.shape[1]))
    for number in numbers:
        x = store[number].astype(np.float64)
        own = np.eye(phones)[labels[store.offsets[number] : store.offsets[number + 1]]]  # (T, V)
        total += np.stack([own.T @ np.ones_like(x), own.T @ x, own.T @ x**2])
    return total


@dataclass(frozen=True)
class Heard:
    """The phones that students decoded, by utterance, and the weighted log-likelihood of all their `frames`."""

    phones: list[list[str]]
    log_likelihood: float
    frames: int


def heard(store: FrameStore, labels: np.ndarray, arpa: Pathlike, inventory: list[str], threads: int) -> Heard:
    """Decode utterances by students of the phones `labels` (T,) of other utterances, and the n-grams `arpa`.

    These are all utterances, in order, or MAX_UTTERANCES of them.
    """
    drawn, names = np.random.default_rng(SEED).permutation(len(store))[:MAX_UTTERANCES], np.array(inventory)
    parts = [np.sort(part) for part in np.array_split(drawn, min(FOLDS, len(drawn)))]
    sums = [add_up(store, labels, part, len(inventory)) for part in parts]
    every, trigrams = sum(sums), PhoneTrigrams.read(arpa, inventory, SEARCH)
    found, total = {}, 0.0
    for part, own in zip(parts, sums, strict=True):
        student = Student.of(every - own if len(parts) > 1 else every, inventory, store.metadata["hop_ms"])
        searched = decode_utterances(student, store, trigrams, SEARCH, threads, part)
        for first, last, log_likelihoods, path in searched:
            total += float(student.scale * log_likelihoods[np.arange(len(path)), path].sum())
            for number in range(first, last):
                start, end = store.offsets[number : number + 2] - store.offsets[first]
                found[number] = names[path[start:end][runs(path[start:end])[:-1]]].tolist()
    return Heard([found[number] for number in sorted(found)], total, int(store.lengths[drawn].sum()))


def frame_phones(decoded: pd.DataFrame, path: Pathlike, store: FrameStore, inventory: list[str]) -> np.ndarray:
    """Return the phone id of every frame of `store`, (T,), from a table of phones by utterance, read from `path`.

    Frames before an utterance's first phone belong to it; an utterance without phones is silence. Raises UserError if
    the table has other utterances, lengths or phones.
    """
    ids = {phone: number for number, phone in enumerate(inventory)}
    if unknown := {phone for row in decoded["phones"] for phone in row} - ids.keys():
        raise UserError(
            f"{path} has the phones {', '.join(sorted(unknown)[:5])}, which are not in the inventory: it was made from "
            "other text. Delete it and run the workflow again."
        )
    found = []
    for utterance, frames in zip(store.utterances, store.lengths.tolist(), strict=True):
        if utterance not in decoded.index or decoded.loc[utterance, "frames"] != frames:
            raise UserError(
                f"{path} does not have the {frames} frames of utterance {utterance} in {store.path}: they come from "
                "different audio. Delete it and run the workflow again."
            )
        row = decoded.loc[utterance]
        phones = [ids[phone] for phone in row["phones"]] or [ids[SILENCE]]
        found.append(np.repeat(phones, np.diff([0, *row["starts_frames"][1:], frames])))
    return np.concatenate(found).astype(np.int64)
