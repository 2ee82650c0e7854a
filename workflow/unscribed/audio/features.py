"""Stage features: MFCC or log-mel frames of the speech, many utterances at a time.

A batch of utterances is laid out in one long signal, each with its own reflected edges: one short-time Fourier
transform computes them all, and every frame is the same as without the others.
Dimensions: N samples, T frames (of all utterances of a batch), U utterances of a batch, F frequencies, M mel bins,
D features.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torchaudio

from unscribed.artifacts import Pathlike
from unscribed.audio import io
from unscribed.audio.speakers import SpeakerStatistics, speakers_of
from unscribed.audio.vad import speech, with_regions
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.parallel import log_speed, ordered_map

log = logging.getLogger(__name__)

BATCH_SECONDS = 60.0  # of speech: the spectrum of a batch stays below 20 MB; shorter batches are slower
RANGE_DB = 80.0  # from the utterance's loudest mel energy to the floor, as in torchaudio; larger keeps more noise
SMALLEST_POWER = 1e-10  # floor before the logarithm, as in torchaudio: digital silence has no power
BY_SPEAKER = "speaker"  # value of features.mean_norm
DELTA_FRAMES = 2  # on either side of a frame in the regression for deltas, as in HTK and Kaldi


@dataclass(frozen=True)
class FeatureSettings:
    """Section `features` of the configuration."""

    kind: str
    window_ms: float
    hop_ms: float
    mel_bins: int
    coefficients: int
    deltas: bool
    mean_norm: str


def features(
    *,
    manifest: Pathlike,
    vad: Pathlike,
    settings: FeatureSettings,
    sample_rate_hz: int,
    features: Pathlike,
    threads: int,
    speaker_level: int = 0,
) -> None:
    """Write the frame store of one split: utterances in the order of the manifest, their speech regions joined.

    An utterance of N samples gives N // hop + 1 frames, centred on multiples of the hop. `speaker_level` tells which
    folder above a recording is its speaker's (0: none). Raises UserError if an utterance is shorter than one window, or
    if the settings do not fit together.
    """
    started = time.monotonic()
    torch.set_num_threads(1)  # each thread takes whole batches, which is faster than sharing one
    extractor = Extractor(settings, sample_rate_hz)
    listed = with_regions(manifest, vad)
    metadata = {
        "kind": settings.kind,
        "dims": extractor.dims,
        "static_dims": extractor.static_dims,
        "hop_ms": 1000 * extractor.hop / sample_rate_hz,
        "sample_rate_hz": sample_rate_hz,
    }

    def extract(batch: pd.DataFrame) -> list[np.ndarray]:
        items = zip(batch["path"], batch["starts_samples"], batch["ends_samples"], strict=True)
        return extractor([_load(*item, sample_rate_hz, extractor.window) for item in items])

    batches = _batches(listed)

    def utterances() -> Iterator[tuple[str, np.ndarray]]:
        for batch, done in zip(batches, ordered_map(extract, batches, threads, "features"), strict=True):
            yield from zip(batch["utterance"], done, strict=True)

    normalised = utterances()
    if settings.mean_norm == BY_SPEAKER:
        names = listed["utterance"].tolist()
        speakers = speakers_of(manifest, names, speaker_level) or ["the only one"] * len(names)
        normalised = by_speaker(utterances, dict(zip(names, speakers, strict=True)))
    with FrameWriter(features, metadata) as writer:
        for utterance, frames in normalised:
            writer.append(utterance, frames)
    log_speed(log, len(listed), float(listed["speech_seconds"].sum()), started)


def by_speaker(
    utterances: Callable[[], Iterator[tuple[str, np.ndarray]]], speakers: Mapping[str, str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the utterances with the mean of their speakers at 0 and the deviation 1.

    They are computed twice, so that memory does not grow with the corpus: first for the statistics, then to be written.
    """
    statistics = {speaker: SpeakerStatistics() for speaker in speakers.values()}
    for utterance, frames in utterances():
        statistics[speakers[utterance]].add(frames)
    for utterance, frames in utterances():
        yield utterance, statistics[speakers[utterance]](frames)


class Extractor:
    """Frames of a batch of utterances; the result for one does not depend on the others.

    Attributes: `window` and `hop` in samples, `dims` (D), `static_dims` (D without deltas).
    Raises UserError if the settings do not fit together.
    """

    def __init__(self, settings: FeatureSettings, sample_rate_hz: int) -> None:
        self.settings = settings
        self.window = round(settings.window_ms * sample_rate_hz / 1000)
        self.hop = round(settings.hop_ms * sample_rate_hz / 1000)
        _check(settings, self.window, self.hop)
        self.taper = torch.hann_window(self.window)
        self.filters = _mel_filters(self.window, settings.mel_bins, sample_rate_hz)  # (F, M)
        self.static_dims = settings.coefficients if settings.kind == "mfcc" else settings.mel_bins
        self.dims = self.static_dims * (3 if settings.deltas else 1)

    @torch.inference_mode()
    def __call__(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the frames (T_u, D), float32, of every utterance; each must have at least one sample."""
        lengths = np.array([len(samples) // self.hop + 1 for samples in batch])
        offsets = np.cumsum(lengths) - lengths
        static = self._mel_db(batch, lengths, offsets)
        if self.settings.kind == "mfcc":
            bins, kept = self.settings.mel_bins, self.settings.coefficients
            static = static @ torchaudio.functional.create_dct(kept, bins, norm="ortho").numpy()
        groups = [static]
        if self.settings.deltas:
            groups.append(deltas(static, lengths))
            groups.append(deltas(groups[1], lengths))
        frames = np.concatenate(groups, axis=1)
        if self.settings.mean_norm == "utterance":
            means = np.add.reduceat(frames, offsets, axis=0, dtype=np.float64) / lengths[:, None]
            frames -= np.repeat(means.astype(np.float32), lengths, axis=0)
        return np.split(frames, offsets[1:])

    def _mel_db(self, batch: Sequence[np.ndarray], lengths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Mel energies in dB, (T, M), at least the utterance's loudest less RANGE_DB."""
        size = 2 * (len(self.filters) - 1)
        side = size // 2
        slots = [-(-(len(samples) + size) // self.hop) for samples in batch]  # length with edges, in hops
        firsts = np.cumsum([0, *slots])
        signal = np.zeros(firsts[-1] * self.hop + size, dtype=np.float32)
        for samples, first in zip(batch, firsts, strict=False):
            start = first * self.hop
            signal[start : start + len(samples) + size] = np.pad(samples, side, mode="reflect")
        spectrum = torch.stft(
            torch.from_numpy(signal), size, self.hop, self.window, self.taper, center=False, return_complex=True
        )
        parts = torch.view_as_real(spectrum).square_()
        energies = self.filters.T @ (parts[..., 0] + parts[..., 1])  # (M, all slots)
        wanted = torch.from_numpy(_ranges(firsts[:-1], lengths))
        level_db = energies.T[wanted].clamp_(min=SMALLEST_POWER).log10_().mul_(10).numpy()
        loudest = np.maximum.reduceat(level_db.max(axis=1), offsets)
        return np.maximum(level_db, np.repeat(loudest - RANGE_DB, lengths)[:, None])


def deltas(frames: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the slopes (T, D) of a regression over DELTA_FRAMES on either side of each frame of `frames` (T, D).

    `lengths` (U,) are those of the utterances, which lie end to end; their first and last frames are repeated at the
    edges.
    """
    side = DELTA_FRAMES
    offsets = np.cumsum(lengths) - lengths
    wanted = _ranges(offsets - side, lengths + 2 * side)
    lowest, highest = (np.repeat(edge, lengths + 2 * side) for edge in (offsets, offsets + lengths - 1))
    padded = frames[np.clip(wanted, lowest, highest)]
    slope = np.zeros((len(padded) - 2 * side, frames.shape[1]), dtype=np.float32)
    for shift in range(1, side + 1):
        later, earlier = padded[side + shift :], padded[side - shift :]
        slope += shift * (later[: len(slope)] - earlier[: len(slope)])
    slope /= 2 * sum(shift**2 for shift in range(1, side + 1))
    return slope[_ranges(offsets + 2 * side * np.arange(len(lengths)), lengths)]


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Concatenate arange(start, start + length) over all pairs."""
    return np.arange(lengths.sum()) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)


def _load(path: str, starts: np.ndarray, ends: np.ndarray, rate: int, window: int) -> np.ndarray:
    samples = speech(io.load_mono(path, rate), starts, ends)
    if len(samples) < window:
        raise UserError(
            f"{path} has {1000 * len(samples) / rate:.0f} ms of speech, less than one frame of features.window_ms: "
            "remove the file, raise audio.min_seconds or vad.margin_ms, or shorten features.window_ms."
        )
    return samples


def _batches(listed: pd.DataFrame) -> list[pd.DataFrame]:
    """Group utterances by their amount of speech, BATCH_SECONDS together; order is kept."""
    ends = listed["speech_seconds"].cumsum()
    return [group for _, group in listed.groupby((ends - listed["speech_seconds"]) // BATCH_SECONDS, sort=False)]


def _mel_filters(window: int, mel_bins: int, rate: int) -> torch.Tensor:
    """Triangular filters, (F, M), for spectra of `window` samples, zero-padded until no filter falls between bins."""
    size = window + window % 2
    for _ in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torchaudio warns of empty filters, checked below
            filters = torchaudio.functional.melscale_fbanks(size // 2 + 1, 0.0, rate / 2, mel_bins, rate)
        if bool((filters.amax(dim=0) > 0).all()):
            return filters
        size *= 2
    raise UserError(f"features.mel_bins {mel_bins} is too many for {rate} Hz: lower it (40 and 80 are usual).")


def _check(settings: FeatureSettings, window: int, hop: int) -> None:
    if window < 2 or hop < 1:
        raise UserError("features.window_ms and features.hop_ms are shorter than one sample: raise them (25 and 10).")
    if settings.kind == "mfcc" and settings.coefficients > settings.mel_bins:
        raise UserError(
            f"features.coefficients ({settings.coefficients}) exceeds features.mel_bins ({settings.mel_bins}): "
            "lower the one or raise the other."
        )
