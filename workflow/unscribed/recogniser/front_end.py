"""The frames of a piece of audio, as the stages features and pca made those that the model has learned from.

Dimensions: N samples, T frames, D features.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from unscribed.audio.features import BY_SPEAKER, Extractor, FeatureSettings
from unscribed.audio.speakers import SpeakerStatistics
from unscribed.config.feature_kinds import LEARNED
from unscribed.frames import FrameStore
from unscribed.segmentation.pca import Projection
from unscribed.ssl.extract import SpeechEncoder
from unscribed.stage import named_function

UTTERANCE = "piece"  # the name in stores of one utterance


@dataclass(frozen=True)
class FrameSettings(FeatureSettings):
    """Section `features`, as far as frames depend on it; a `layer` is that of a learned kind."""

    layer: int


class Frames(Protocol):
    """What turns samples into frames: `hop_ms` between two, for at least `shortest` samples.

    `set_speaker` is None unless frames depend on the speaker: then it must be called with all pieces of a speaker (N,)
    before any of them is turned into frames.
    """

    hop_ms: float
    shortest: int
    set_speaker: Callable[[Iterable[np.ndarray]], None] | None

    def __call__(self, samples: np.ndarray) -> FrameStore:
        """Return the frames (T, D) of samples (N,), as a store of one utterance."""
        ...


class SpectralFrames:
    """MFCCs or log-mel spectra."""

    def __init__(self, settings: FrameSettings, sample_rate_hz: int) -> None:
        own = {field.name: getattr(settings, field.name) for field in fields(FeatureSettings)}
        self.extractor = Extractor(FeatureSettings(**own), sample_rate_hz)
        self.statistics = SpeakerStatistics()
        self.set_speaker = self._set_speaker if settings.mean_norm == BY_SPEAKER else None
        self.hop_ms = 1000 * self.extractor.hop / sample_rate_hz
        self.shortest = self.extractor.window

    def _set_speaker(self, speaker: Iterable[np.ndarray]) -> None:
        """Compute mean and deviation of the frames of a speaker, which following frames are normalised by."""
        self.statistics = SpeakerStatistics()
        for samples in speaker:
            self.statistics.add(self.extractor([samples])[0])

    def __call__(self, samples: np.ndarray) -> FrameStore:
        """Return the frames of samples (N,)."""
        metadata = {"hop_ms": self.hop_ms, "static_dims": self.extractor.static_dims}
        frames = self.extractor([samples])[0]
        return FrameStore.in_memory({UTTERANCE: self.statistics(frames) if self.set_speaker else frames}, metadata)


class LearnedFrames:
    """The states of a pretrained model, in half precision as in the frame store."""

    set_speaker = None

    def __init__(self, settings: FrameSettings, checkpoint: str, sample_rate_hz: int) -> None:
        load = named_function(LEARNED[settings.kind].encoder)
        self.encoder: SpeechEncoder = load(checkpoint, settings.layer, sample_rate_hz)
        self.encoder.start(torch.device("cpu"))
        self.hop_ms = 1000 * self.encoder.hop_samples / sample_rate_hz
        self.shortest = self.encoder.receptive_field_samples

    def __call__(self, samples: np.ndarray) -> FrameStore:
        """Return the frames of samples (N,)."""
        wave = torch.from_numpy(self.encoder.prepare(samples))[None]
        states, _ = self.encoder.frames(wave, torch.tensor([len(samples)]))
        return FrameStore.in_memory({UTTERANCE: states[0].half().numpy()}, {"hop_ms": self.hop_ms})


class ProjectedFrames:
    """The principal components of other frames."""

    def __init__(self, frames: Frames, pca: Path) -> None:
        self.frames, self.projection = frames, Projection(pca)
        self.hop_ms, self.shortest, self.set_speaker = frames.hop_ms, frames.shortest, frames.set_speaker

    def __call__(self, samples: np.ndarray) -> FrameStore:
        """Return the projected frames of samples (N,)."""
        store = self.frames(samples)
        return FrameStore.in_memory({UTTERANCE: self.projection(store, 0, 1)}, self.projection.metadata(store))


def front_end(settings: FrameSettings, checkpoint: str, sample_rate_hz: int, pca: Path | None) -> Frames:
    """Make the front end of a recogniser; `pca` is the file of the projection, if the model has one.

    Raises UserError for a checkpoint that is missing or damaged.
    """
    frames: Frames
    if settings.kind in LEARNED:
        frames = LearnedFrames(settings, checkpoint, sample_rate_hz)
    else:
        frames = SpectralFrames(settings, sample_rate_hz)
    return ProjectedFrames(frames, pca) if pca else frames
