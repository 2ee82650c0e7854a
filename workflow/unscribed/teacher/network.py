"""The teacher: a convolutional network over frames, and what it takes to use it on a corpus.

Frames are log-mel spectra in dB, or hidden states of a pretrained model.
Dimensions: B utterances of a batch, T frames, D mel bins or dimensions of a state, J output frames, V phones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unscribed.acoustic.network import FrameNetwork
from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.teacher.spectrum import NATS_PER_DB, normalised, seen

OUTPUT_MS = 20.0  # between two outputs: frames every 10 ms are taken in pairs
PLAIN_WARP, PLAIN_FLOOR = 1.0, 11.0  # where nothing was adapted: the middle of what is augmented


def stride_of(hop_ms: float) -> int:
    """Return the number of frames every `hop_ms` for each of which the network has one output."""
    return max(1, round(OUTPUT_MS / hop_ms))


@dataclass(frozen=True)
class Teacher:
    """A trained network, in eval mode, with its phones and the log of their prior (V,).

    It sees spectra moved by `warp` and cut `floor` nats below the peak; `states` if it sees hidden states instead, to
    which neither can be done.
    """

    network: FrameNetwork
    phones: Sequence[str]
    log_prior: Tensor
    sample_rate_hz: int
    warp: float = PLAIN_WARP
    floor: float = PLAIN_FLOOR
    states: bool = False

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.log_prior.device

    def logits(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, J, V) of frames x (B, T, D), and their lengths (B,)."""
        return self.network(self.view(x, lengths), lengths)

    def view(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what the network sees of frames x (B, T, D)."""
        if self.states:
            return normalised(x, lengths)
        one = torch.ones(len(x), device=x.device)
        return seen(NATS_PER_DB * x, lengths, self.warp * one, self.floor * one, self.sample_rate_hz)

    def write(self, path: Pathlike) -> None:
        """Write as safetensors, all but the weights in the metadata."""
        tensors = {name: value.detach().float().cpu().numpy() for name, value in self.network.state_dict().items()}
        about = {"sizes": self.network.sizes, "phones": list(self.phones)}
        about |= {name: getattr(self, name) for name in ("sample_rate_hz", "warp", "floor", "states")}
        write_tensors(path, {**tensors, "log_prior": self.log_prior.cpu().numpy()}, about)

    @classmethod
    def read(cls, path: Pathlike, device: torch.device) -> "Teacher":
        """Read a teacher. Raises UserError if the file is missing or damaged."""
        with readable(path):
            tensors, about = read_tensors(path)
            values = {name: torch.from_numpy(value.copy()) for name, value in tensors.items()}
            log_prior = values.pop("log_prior").to(device)
            network = FrameNetwork(**about.pop("sizes"))
            network.load_state_dict(values)
            return cls(network=network.eval().to(device), log_prior=log_prior, **about)
