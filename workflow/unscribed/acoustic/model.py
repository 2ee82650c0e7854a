"""The frame classifier: one hidden layer over stacked frames, with log posteriors of phones as output.

Training is in `unscribed.acoustic.train`; decoding needs only this module, without torch.
Dimensions: T frames, D features, W = (2 x context + 1) x D, H hidden units, V phones.
"""

from dataclasses import dataclass

import numpy as np

from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors
from unscribed.frames import FrameStore
from unscribed.segmentation.pca import stack

CHUNK = 8192  # frames stacked at once: more take more memory


@dataclass(frozen=True)
class AcousticModel:
    """Weights `hidden` (H, W), `hidden_bias` (H,), `output` (V, H), `output_bias` (V,); `log_prior` (V,)."""

    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray
    log_prior: np.ndarray
    phones: list[str]
    context: int

    def log_posteriors(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Compute log P(phone | frames) of the utterances `first` … `last` - 1, (T, V) float32."""
        positions = np.arange(store.offsets[first], store.offsets[last])
        result = np.empty((len(positions), len(self.phones)), dtype=np.float32)
        for start in range(0, len(positions), CHUNK):
            stacked = stack(store, positions[start : start + CHUNK], self.context)  # (T, W)
            active = np.maximum(stacked @ self.hidden.T + self.hidden_bias, 0)
            logits = active @ self.output.T + self.output_bias
            logits -= logits.max(axis=1, keepdims=True)
            result[start : start + CHUNK] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return result

    def scores(self, log_posteriors: np.ndarray, settings: DecodeSettings) -> np.ndarray:
        """Compute scaled log likelihoods up to a constant, (T, V): posteriors divided by the weighted prior."""
        scale, prior_weight = np.float32(settings.acoustic_scale), np.float32(settings.prior_weight)
        return scale * (log_posteriors - prior_weight * self.log_prior)

    def write(self, path: Pathlike) -> None:
        """Write as safetensors, phones and context in the metadata."""
        names = ("hidden", "hidden_bias", "output", "output_bias", "log_prior")
        tensors = {name: np.asarray(getattr(self, name), dtype=np.float32) for name in names}
        write_tensors(path, tensors, {"phones": self.phones, "context": self.context})

    @classmethod
    def read(cls, path: Pathlike) -> "AcousticModel":
        """Read a model. Raises UserError if the file is missing or damaged."""
        with readable(path):
            tensors, metadata = read_tensors(path)
            return cls(**tensors, phones=metadata["phones"], context=metadata["context"])
