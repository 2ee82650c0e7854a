"""Load, normalise and pad the speech of a split, for every use of wav2vec models.

Pretraining, features, fine-tuning and transcription all read their audio here, so that a model always gets it in the
same form. Dimensions: U utterances, B utterances of a batch, N samples.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.audio import io
from unscribed.audio.vad import speech, with_regions

VARIANCE_FLOOR = 1e-7  # added to every variance against division by zero, as in transformers' Wav2Vec2FeatureExtractor


class Speech:
    """The utterances of one split, each with its regions of speech joined; audio is read only when indexed.

    Attributes: `utterances`; `paths`; `starts` and `ends` of the regions, in samples; `lengths` (U,) of the joined
    regions in samples; `sample_rate_hz`. Raises UserError if `vad` lacks utterances of `manifest`.
    """

    def __init__(self, manifest: Pathlike, vad: Pathlike, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        listed = with_regions(manifest, vad)
        self.utterances: list[str] = listed["utterance"].tolist()
        self.paths: list[str] = listed["path"].tolist()
        self.starts: list[np.ndarray] = listed["starts_samples"].tolist()
        self.ends: list[np.ndarray] = listed["ends_samples"].tolist()
        pairs = zip(self.starts, self.ends, strict=True)
        self.lengths = np.array([int((ends - starts).sum()) for starts, ends in pairs], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> np.ndarray:
        """Read the speech of utterance number `index`, (N,) float32, not normalised."""
        samples = io.load_mono(self.paths[index], self.sample_rate_hz)
        return speech(samples, self.starts[index], self.ends[index])

    @classmethod
    def joined(cls, parts: Sequence["Speech"]) -> "Speech":
        """Join the utterances of several corpora; of more than one, utterances get the names `part/utterance`."""
        whole = cls.__new__(cls)
        whole.sample_rate_hz = parts[0].sample_rate_hz
        whole.utterances = [
            name for number, part in enumerate(parts) for name in qualified(part.utterances, number, len(parts))
        ]
        whole.paths = [path for part in parts for path in part.paths]
        whole.starts = [starts for part in parts for starts in part.starts]
        whole.ends = [ends for part in parts for ends in part.ends]
        whole.lengths = np.concatenate([part.lengths for part in parts])
        return whole

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The index of each utterance by its name."""
        return {utterance: number for number, utterance in enumerate(self.utterances)}


def qualified(utterances: Sequence[str], part: int, parts: int) -> list[str]:
    """Prefix the names of utterances with the number of their corpus, if there are several corpora."""
    return list(utterances) if parts == 1 else [f"{part}/{utterance}" for utterance in utterances]


def normalized(samples: np.ndarray) -> np.ndarray:
    """Scale an utterance (N,) to zero mean and unit variance, float32, as XLSR's and transformers' front ends do."""
    mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
    return ((samples - mean) / np.sqrt(variance + VARIANCE_FLOOR)).astype(np.float32)


def padded(batch: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack waveforms, (B, N) float32 with zeros behind the shorter ones; return them and their lengths (B,) int64."""
    lengths = torch.tensor([len(samples) for samples in batch])
    waves = torch.zeros(len(batch), int(lengths.max()))
    for row, samples in zip(waves, batch, strict=True):
        row[: len(samples)] = torch.from_numpy(samples)
    return waves, lengths


def frames_of(lengths: torch.Tensor, kernels: Sequence[int], strides: Sequence[int]) -> torch.Tensor:
    """Number of frames that a CNN encoder makes of `lengths` samples; 0 for less than its receptive field."""
    for kernel, stride in zip(kernels, strides, strict=True):
        lengths = torch.div(lengths - kernel, stride, rounding_mode="floor") + 1
    return lengths.clamp(min=0)


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """Receptive field and hop of a CNN encoder in samples: for wav2vec 2.0, 400 and 320 (25 and 20 ms at 16 kHz)."""
    field, hop = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * hop
        hop *= stride
    return field, hop


def mask_of(lengths: torch.Tensor, positions: int) -> torch.Tensor:
    """Mask of the positions (samples or frames) inside each utterance: `lengths` (B,) to (B, positions) bool."""
    return torch.arange(positions, device=lengths.device) < lengths[:, None]
