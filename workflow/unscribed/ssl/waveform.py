"""The speech of a split as waveforms: one loading, one normalisation, one padding for every use of wav2vec models.

Pretraining, features, fine-tuning and transcription all read their audio here, so that a model never hears it in
two ways. Dimensions: B utterances of a batch, N samples.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.audio import io
from unscribed.audio.vad import speech, with_regions

VARIANCE_FLOOR = 1e-7  # as transformers' Wav2Vec2FeatureExtractor adds to the variance


class Speech:
    """The utterances of one split, their regions of speech joined; the audio is read when it is asked for.

    Attributes: `utterances`; `lengths` (U,) in samples; `sample_rate_hz`.
    Raises UserError if `vad` lacks utterances of `manifest`.
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
        """The speech of utterance number `index`, (N,) float32, as it was recorded."""
        samples = io.load_mono(self.paths[index], self.sample_rate_hz)
        return speech(samples, self.starts[index], self.ends[index])

    @classmethod
    def joined(cls, parts: Sequence["Speech"]) -> "Speech":
        """The utterances of several corpora as one; with more than one, they are named `number of the part/name`."""
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
        """The number of each utterance by its name."""
        return {utterance: number for number, utterance in enumerate(self.utterances)}


def qualified(utterances: Sequence[str], part: int, parts: int) -> list[str]:
    """Names of utterances that stay apart when those of several corpora come together."""
    return list(utterances) if parts == 1 else [f"{part}/{utterance}" for utterance in utterances]


def normalized(samples: np.ndarray) -> np.ndarray:
    """Zero mean and unit variance over the utterance, (N,) float32, as XLSR's and transformers' front ends do."""
    mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
    return ((samples - mean) / np.sqrt(variance + VARIANCE_FLOOR)).astype(np.float32)


def padded(batch: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Waveforms one below the other, (B, N) float32 with zeros at their ends, and their lengths (B,) int64."""
    lengths = torch.tensor([len(samples) for samples in batch])
    waves = torch.zeros(len(batch), int(lengths.max()))
    for row, samples in zip(waves, batch, strict=True):
        row[: len(samples)] = torch.from_numpy(samples)
    return waves, lengths


def frames_of(lengths: torch.Tensor, kernels: Sequence[int], strides: Sequence[int]) -> torch.Tensor:
    """How many frames a CNN encoder without padding makes of `lengths` samples; 0 for less than its receptive field."""
    for kernel, stride in zip(kernels, strides, strict=True):
        lengths = torch.div(lengths - kernel, stride, rounding_mode="floor") + 1
    return lengths.clamp(min=0)


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """Receptive field and hop of a CNN encoder in samples; wav2vec 2.0's are 400 and 320, 25 and 20 ms at 16 kHz."""
    field, hop = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * hop
        hop *= stride
    return field, hop


def frame_mask(frames: torch.Tensor, longest: int) -> torch.Tensor:
    """Which of `longest` frames belong to each utterance, (B, longest) bool."""
    return torch.arange(longest, device=frames.device) < frames[:, None]
