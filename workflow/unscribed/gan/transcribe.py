"""Stage gan_decode: decode a split with one run, to phones with times and the posteriors of every phone.

Dimensions: S segments, J phones of an utterance, V phones.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.gan.batches import read_segments
from unscribed.gan.model import Generators
from unscribed.tables import BoundaryTable, PhoneTable

log = logging.getLogger(__name__)


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
    run: str,
    posteriors: Pathlike,
    decoded: Pathlike,
) -> None:
    """Write the phones of run number `run` with their first frames (`decoded`) and their `posteriors`, (J, V) each.

    `segments` are representations with their `boundaries` in frames, or frames without. Neighbouring segments with the
    same predicted phone become one phone. Raises UserError if the generator was trained on other features.
    """
    table = PhoneTable()
    generator = find_run(model, "run", int(run))
    with FrameWriter(posteriors, {"phones": generator.phones}) as writer:
        for found in decode_segments(generator, segments, boundaries):
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
    generator: Generators, segments: Pathlike, boundaries: Pathlike | Sequence[str]
) -> Iterator[DecodedUtterance]:
    """Decode every utterance in the store `segments`, in order, with one generator."""
    store = FrameStore(segments)
    generator.check(store)
    if boundaries:
        edges = BoundaryTable.by_utterance(boundaries, store.utterances)["boundaries_frames"].tolist()
    else:
        edges = [np.arange(length + 1) for length in store.lengths]
    inventory = np.array(generator.phones)
    found = generator.transcribe(read_segments(segments, torch.device("cpu")))
    for utterance, edge, ((phones, first, posteriors),) in zip(store.utterances, edges, found, strict=True):
        yield DecodedUtterance(utterance, inventory[phones].tolist(), edge[first], posteriors, int(edge[-1]))
