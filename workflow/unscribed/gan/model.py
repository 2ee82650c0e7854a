"""Trained generators: reading and writing their file, and decoding with them.

Dimensions: N runs, B batch, S segments, J joined positions, D features, V phones.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from unscribed.artifacts import Pathlike, atomic_path, readable
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.gan.batches import Sequences
from unscribed.gan.generator import generate
from unscribed.gan.join import mean

Tensor = torch.Tensor
Weights = dict[str, Tensor]

# Per run, at most so much is decoded at once, padding counted: more is faster and takes more memory.
BATCH_SEGMENTS, BATCH_UTTERANCES = 20_000, 256


@dataclass(frozen=True)
class Generators:
    """N generators of one shape: `weights` and `statistics` (N, …) as in `generate`, and their phone inventory."""

    weights: Weights
    statistics: Weights
    phones: list[str]
    stride: int

    def run(self, number: int) -> "Generators":
        """Return the generator of one run, with N = 1."""
        pick = slice(number, number + 1)
        weights, statistics = (
            {name: value[pick] for name, value in one.items()} for one in (self.weights, self.statistics)
        )
        return Generators(weights, statistics, self.phones, self.stride)

    def check(self, store: FrameStore) -> None:
        """Raise UserError if `store` has another number of dimensions than the generators were trained with."""
        dims = self.weights["conv"].shape[2]
        if store.data.shape[1] != dims:
            raise UserError(
                f"{store.path} has {store.data.shape[1]} dimensions, the generator was trained with {dims}: the "
                "features have changed since. Run the stage gan again."
            )

    def transcribe(self, segments: Sequences) -> Iterator[list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """Decode every utterance, in order, with each run: phones (J,), first segments (J,), posteriors (J, V).

        Neighbouring segments with the same predicted phone become one phone, with the mean of their logits.
        """
        first = 0
        lengths = segments.lengths.tolist()
        while first < len(segments):
            last = first + max(1, BATCH_SEGMENTS // max(1, max(lengths[first : first + BATCH_UTTERANCES])))
            last = min(last, first + BATCH_UTTERANCES, len(segments))
            yield from self._block(segments, torch.arange(first, last, device=segments.offsets.device))
            first = last

    def _block(self, segments: Sequences, numbers: Tensor) -> Iterator[list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        runs = len(self.weights["conv"])
        features, lengths = segments.batch(numbers[None])
        with torch.inference_mode():
            features, lengths = features.float().expand(runs, -1, -1, -1), lengths.expand(runs, -1)
            generated = generate(self.weights, self.statistics, self.stride, features, lengths, None)
            logits, joined, positions = mean(generated.logits, generated.lengths)
            posteriors = logits.softmax(-1).cpu().numpy()
        counts, places, inputs = joined.cpu().numpy(), positions.cpu().numpy(), generated.lengths.cpu().numpy()
        for item in range(len(numbers)):
            found = []
            for run in range(runs):
                own = posteriors[run, item, : counts[run, item]]
                first = np.searchsorted(places[run, item, : inputs[run, item]], np.arange(len(own)))
                found.append((own.argmax(-1), first * self.stride, own))
            yield found

    def write(self, path: Pathlike, about: Sequence[dict]) -> None:
        """Write as safetensors with a description of every run, atomically."""
        tensors = {f"weights.{name}": value for name, value in self.weights.items()}
        tensors |= {f"statistics.{name}": value for name, value in self.statistics.items()}
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        metadata = json.dumps({"phones": self.phones, "stride": self.stride, "runs": list(about)})
        with atomic_path(path) as temporary:
            temporary.write_bytes(save(tensors, {"json": metadata}))

    @classmethod
    def read(cls, path: Pathlike) -> tuple["Generators", list[dict]]:
        """Read the generators and the description of every run. Raises UserError if the file is missing or damaged."""
        with readable(path):
            with safe_open(path, "pt") as file:
                metadata = json.loads(file.metadata()["json"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is no mapping)
            parts: dict[str, Weights] = {"weights": {}, "statistics": {}}
            for name, value in tensors.items():
                part, key = name.split(".")
                parts[part][key] = value
            return cls(**parts, phones=metadata["phones"], stride=metadata["stride"]), metadata["runs"]
