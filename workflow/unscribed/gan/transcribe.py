"""Stage gan_decode: decode a split with one run, to phones with times and the posteriors of every phone.

The generator's phones are searched with the n-grams and weights that all other candidates are decoded with, so that the
choice compares like with like.
Dimensions: S segments, J phones of an utterance, V phones.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unscribed.acoustic.viterbi import DecodeSettings, PhoneTrigrams, decode
from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.gan.batches import read_segments
from unscribed.gan.model import Generators
from unscribed.segmentation.segment import runs
from unscribed.tables import BoundaryTable, PhoneTable
from unscribed.text.arpa import Arpa

log = logging.getLogger(__name__)

SMALLEST = 1e-8  # of a posterior, before its logarithm


@dataclass(frozen=True)
class DecodedUtterance:
    """Decoded phones (J) of an utterance, their first frames (J,), posteriors (J, V), and its length in frames."""

    utterance: str
    phones: list[str]
    starts: np.ndarray
    posteriors: np.ndarray
    frames: int

    def append_to(self, table: PhoneTable) -> None:
        """Add these phones to a table."""
        table.append(utterance=self.utterance, phones=self.phones, starts_frames=self.starts, frames=self.frames)


def gan_decode(
    *,
    segments: Pathlike,
    boundaries: Pathlike | Sequence[str],
    model: Pathlike,
    arpa: Pathlike,
    settings: DecodeSettings,
    run: str,
    posteriors: Pathlike,
    decoded: Pathlike,
) -> None:
    """Write the phones of run number `run` with their first frames (`decoded`) and their `posteriors`, (J, V) each.

    `segments` are representations with their `boundaries` in frames, or frames without. Neighbouring segments with the
    same phone become one phone. `arpa` has phone n-grams. Raises UserError if the generator was trained on other
    features, or the n-grams on other phones.
    """
    table = PhoneTable()
    generator = find_run(model, "run", int(run))
    with FrameWriter(posteriors, {"phones": generator.phones}) as writer:
        for found in decode_segments(generator, segments, boundaries, arpa, settings):
            writer.append(found.utterance, found.posteriors)
            found.append_to(table)
    table.write(decoded)
    log.info("%d utterances, %d phones", len(table), sum(map(len, table.columns["phones"])))


def find_run(model: Pathlike, key: str, value: object) -> Generators:
    """Read the generator in the file `model` whose description has `value` under `key`.

    Raises UserError if there is none.
    """
    every, about = Generators.read(model)
    for place, one in enumerate(about):
        if one[key] == value:
            return every.run(place)
    raise UserError(f"{model} does not have the {key} {value}: the grid has changed. Run the stage gan again.")


def decode_segments(
    generator: Generators,
    segments: Pathlike,
    boundaries: Pathlike | Sequence[str],
    arpa: Pathlike,
    settings: DecodeSettings,
) -> Iterator[DecodedUtterance]:
    """Decode every utterance in the store `segments`, in order, with one generator and phone n-grams."""
    store = FrameStore(segments)
    generator.check(store)
    if boundaries:
        edges = BoundaryTable.by_utterance(boundaries, store.utterances)["boundaries_frames"].tolist()
    else:
        edges = [np.arange(length + 1) for length in store.lengths]
    inventory = np.array(generator.phones)
    found = generator.transcribe(read_segments(segments, torch.device("cpu")))
    search = PhoneSearch.read(arpa, generator.phones, settings)
    for utterance, edge, ((_, first, posteriors),) in zip(store.utterances, edges, found, strict=True):
        phones, kept, joined = search(posteriors)
        yield DecodedUtterance(utterance, inventory[phones].tolist(), edge[first[kept]], joined, int(edge[-1]))


@dataclass(frozen=True)
class PhoneSearch:
    """Beam search over the generator's phones; their prior (V,) is that of the text, which it learned to imitate."""

    trigrams: PhoneTrigrams
    log_prior: np.ndarray
    settings: DecodeSettings

    @classmethod
    def read(cls, arpa: Pathlike, phones: Sequence[str], settings: DecodeSettings) -> "PhoneSearch":
        """Read phone n-grams. Raises UserError if they lack a phone."""
        language_model = Arpa.read(arpa)
        log_prior = np.array([language_model.log_prob((), phone) for phone in phones], dtype=np.float32)
        return cls(PhoneTrigrams.read(arpa, list(phones), settings), log_prior, settings)

    def __call__(self, posteriors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return phones (K,), the place of the first of the J posteriors of each, (K,), and their means, (K, V).

        `posteriors` are (J, V). Neighbours with the same phone become one phone.
        """
        if not len(posteriors):
            return np.empty(0, dtype=np.int16), np.empty(0, dtype=np.int64), posteriors
        scores = np.log(np.maximum(posteriors, SMALLEST)) - np.float32(self.settings.prior_weight) * self.log_prior
        scores *= np.float32(self.settings.acoustic_scale)
        path = decode(scores, np.array([0, len(scores)]), self.trigrams, self.settings.beam)
        edges = runs(path)
        sums = np.add.reduceat(posteriors, edges[:-1], axis=0)
        return path[edges[:-1]], edges[:-1], sums / np.diff(edges)[:, None]
