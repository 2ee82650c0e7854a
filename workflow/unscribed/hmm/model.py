"""A trained GMM-HMM, with networks beside its Gaussians or without: all that decoding needs, in one file.

Dimensions: T frames, P states (pdfs), I transition ids, V phones.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.frames import FrameStore
from unscribed.hmm.frontend import FrontEnd
from unscribed.hmm.gmm import Mixtures
from unscribed.hmm.topology import Topology

if TYPE_CHECKING:  # torch takes two seconds to load, and most models have no networks
    from unscribed.hmm.network import Networks


@dataclass(frozen=True)
class HmmModel:
    """A trained model, complete for decoding."""

    front_end: FrontEnd
    mixtures: Mixtures
    topology: Topology
    networks: "Networks | None" = None

    def scores(self, store: FrameStore, number: int) -> np.ndarray:
        """Compute log P(frame | state) of one utterance by transition id, (T, I + 1); column 0 is not used.

        With networks, theirs are added, so that the sum is a log likelihood up to a constant and a scale.
        """
        found = self.mixtures.log_likelihoods(self.front_end(store, number, number + 1))[:, self.topology.pdf]
        if self.networks:
            found = found + self.networks.scores(store, number)[:, np.maximum(self.topology.phone - 1, 0)]
        return found

    def write(self, path: Pathlike) -> None:
        """Write as safetensors; phones and sizes are in the metadata."""
        tensors = {
            "scale": self.front_end.scale,
            "weights": self.mixtures.weights,
            "means": self.mixtures.means,
            "variances": self.mixtures.variances,
            "offsets": self.mixtures.offsets.astype(np.int64),
        }
        if self.topology.counts is not None:  # None if training never realigned
            tensors["transition_counts"] = self.topology.counts
        if self.front_end.lda is not None:
            tensors["lda"] = self.front_end.lda
        metadata = {
            "phones": self.topology.phones,
            "states": self.topology.states,
            "dims": self.front_end.dims,
            "context": self.front_end.context,
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
            front_end = FrontEnd(tensors["scale"], metadata["dims"], metadata["context"], tensors.get("lda"))
            mixtures = Mixtures(*(tensors[name] for name in ("weights", "means", "variances", "offsets")))
            topology = Topology(metadata["phones"], metadata["states"], tensors.get("transition_counts"))
            networks = None
            if "networks" in metadata:
                from unscribed.hmm.network import Networks

                networks = Networks.from_tensors(tensors, metadata["networks"], front_end.scale)
            return cls(front_end, mixtures, topology, networks)
