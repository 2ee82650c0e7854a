"""A trained GMM-HMM, with networks beside its Gaussians or without: all that decoding needs, in one file.

Dimensions: T frames, D features, P states (pdfs), I transition ids, V phones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.frames import FrameStore
from unscribed.hmm.folds import unseen_by
from unscribed.hmm.frontend import FrontEnd
from unscribed.hmm.gmm import Mixtures
from unscribed.hmm.topology import Topology

if TYPE_CHECKING:  # torch takes two seconds to load, and most models have no networks
    from unscribed.hmm.network import Networks

MIXTURES = ("weights", "means", "variances", "offsets")


@dataclass(frozen=True)
class Gaussians:
    """The mixtures of all states, on the features of a front end."""

    front_end: FrontEnd
    mixtures: Mixtures

    def log_likelihoods(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute log P(frame | state) of one utterance, (T, P) float32."""
        return self.mixtures.log_likelihoods(self.front_end(store, number, number + 1))

    def tensors(self, start: str) -> dict[str, np.ndarray]:
        """Return all numbers by name, which begins with `start`, for the file of a model."""
        found = {name: getattr(self.mixtures, name) for name in MIXTURES} | {"scale": self.front_end.scale}
        found["offsets"] = found["offsets"].astype(np.int64)
        if self.front_end.lda is not None:
            found["lda"] = self.front_end.lda
        return {f"{start}{name}": value for name, value in found.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any], start: str) -> "Gaussians":
        """Make them from a model's file."""
        front_end = FrontEnd(
            tensors[f"{start}scale"], metadata["dims"], metadata["context"], tensors.get(f"{start}lda")
        )
        return cls(front_end, Mixtures(*(tensors[f"{start}{name}"] for name in MIXTURES)))


@dataclass(frozen=True)
class HmmModel:
    """A trained model, complete for decoding.

    `gaussians`: one for all utterances, or one for each fold (`folds`), which has not learned from the utterances of
    its fold. `learned` are the `keys_of` the utterances that they learned from; nobody asks for it if there is one.
    """

    gaussians: Sequence[Gaussians]
    topology: Topology
    networks: "Networks | None" = None
    learned: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def log_likelihoods(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute log P(frame | state) of one utterance, (T, P) float32, as the mean of those who may score it."""
        if len(self.gaussians) == 1:
            return self.gaussians[0].log_likelihoods(store, number)
        folds = unseen_by(store.utterances[number], self.learned)
        total = sum(self.gaussians[fold].log_likelihoods(store, number) for fold in folds)
        return total / np.float32(len(folds))

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute log P(frame | state) of one utterance by transition id, (T, I + 1); column 0 is not used.

        With networks, theirs are added, so that the sum is a log likelihood up to a constant and a scale.
        """
        found = self.log_likelihoods(store, number)[:, self.topology.pdf]
        if self.networks:
            found = found + self.networks.scores(store, number)[:, np.maximum(self.topology.phone - 1, 0)]
        return found

    def phone_scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute the score of each phone's best state in one utterance, (T, V); as `scores` with networks."""
        found = np.maximum.reduceat(self.log_likelihoods(store, number), self.topology.first_pdf[:-1], axis=1)
        return found + self.networks.scores(store, number) if self.networks else found

    def write(self, path: Pathlike) -> None:
        """Write as safetensors; phones and sizes are in the metadata."""
        first = self.gaussians[0].front_end
        tensors = {"learned": self.learned}
        for number, part in enumerate(self.gaussians):
            tensors |= part.tensors(_start(number))
        if self.topology.counts is not None:  # None if training never realigned
            tensors["transition_counts"] = self.topology.counts
        metadata = {
            "phones": self.topology.phones,
            "states": self.topology.states,
            "dims": first.dims,
            "context": first.context,
            "parts": len(self.gaussians),
        }
        if self.networks:
            tensors |= self.networks.tensors()
            metadata["networks"] = self.networks.sizes
        write_tensors(path, tensors, metadata)

    @classmethod
    def read(cls, path: Pathlike) -> "HmmModel":
        """Read a model. Raises UserError if the file is missing or damaged."""
        with readable(path):
            tensors, metadata = read_tensors(path)
            parts = range(metadata.get("parts", 1))
            gaussians = [Gaussians.from_tensors(tensors, metadata, _start(number)) for number in parts]
            topology = Topology(metadata["phones"], metadata["states"], tensors.get("transition_counts"))
            networks = None
            if "networks" in metadata:
                from unscribed.hmm.network import Networks

                networks = Networks.from_tensors(tensors, metadata["networks"], gaussians[0].front_end.scale)
            return cls(gaussians, topology, networks, tensors.get("learned", np.empty(0, dtype=np.int64)))


def _start(part: int) -> str:
    """How the names of the numbers of a fold begin; the first has none, as files of one fold."""
    return f"fold{part}." if part else ""
