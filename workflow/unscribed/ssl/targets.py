"""Stage pretrain_targets: the clusters that a model learns to name, of MFCC frames or of an earlier model's states.

HuBERT (arXiv 2106.07447) §3.1: first k-means of MFCCs, then of the hidden states of the model that learned those.
Dimensions: B utterances of a batch, N samples, T frames, D features, V clusters.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from unscribed.artifacts import Pathlike, read_tensors, write_tensors
from unscribed.audio.features import Extractor, FeatureSettings
from unscribed.clustering import KmeansSettings, cluster
from unscribed.config.checkpoints import MFCC
from unscribed.errors import UserError
from unscribed.ssl import checkpoint as checkpoints
from unscribed.ssl.encode import hidden_states
from unscribed.ssl.model_config import read_model_config
from unscribed.ssl.waveform import Speech, frames_of, normalized, receptive_field

log = logging.getLogger(__name__)

SPECTRAL = FeatureSettings(
    kind=MFCC, window_ms=25.0, hop_ms=10.0, mel_bins=40, coefficients=13, deltas=True, mean_norm="utterance"
)  # HuBERT §4.2: 39 dimensions

Source = Callable[[np.ndarray, int], np.ndarray]  # (B, N) and T to (B, T, D)


def fit_targets(
    *,
    manifests: Sequence[str],
    vads: Sequence[str],
    sizes: Pathlike,
    teacher: str,
    layer: int,
    settings: KmeansSettings,
    seed: int,
    sample_rate_hz: int,
    threads: int,
    targets: Pathlike,
) -> None:
    """Cluster the frames of random utterances of all languages; write `centroids` (V, D) and `scale` (D,).

    `teacher` is `mfcc` or a checkpoint, of which `layer` counts; `sizes` the file of the model that will learn.
    Raises UserError for fewer frames than clusters and for a teacher whose hop is not the model's.
    """
    torch.set_num_threads(threads)
    config = read_model_config(sizes)
    kernels, strides = config.conv_kernel, config.conv_stride
    source = frames_from(teacher, layer, kernels, strides, sample_rate_hz, "cpu")
    generator = np.random.default_rng(seed)
    sample = []
    for manifest, vad in zip(manifests, vads, strict=True):
        left = settings.max_frames // len(manifests)
        speech = Speech(manifest, vad, sample_rate_hz)
        for number in generator.permutation(len(speech)):
            samples = normalized(speech[int(number)])[None]
            count = int(frames_of(torch.tensor(samples.shape[1]), kernels, strides))
            if count:  # shorter utterances have no frame
                sample.append(source(samples, count)[0][:left])
                left -= len(sample[-1])
            if not left:
                break
    frames = np.concatenate(sample) if sample else np.empty((0, 1), np.float32)
    centroids, scale = cluster(frames, settings, seed, "pretrain.clusters")
    write_tensors(targets, {"centroids": centroids, "scale": scale})


class Targets:
    """The clusters at `path` and how the frames that belong to them are made, by `source`.

    Attributes: `clusters` (V); `mark`: what tells one set of clusters from another.
    """

    def __init__(self, path: Pathlike, source: Source) -> None:
        self.source = source
        found, _ = read_tensors(path)
        self.scale = found["scale"]
        self.centroids = torch.from_numpy(found["centroids"] / self.scale)
        self.clusters = len(self.centroids)
        self.mark = hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        """The nearest cluster of each of `frames` frames, (B, T) int64, of normalised `waves` (B, N)."""
        values = torch.from_numpy(self.source(waves, frames) / self.scale)
        near = values @ self.centroids.T - self.centroids.square().sum(dim=1) / 2  # larger is nearer
        return near.argmax(dim=-1).numpy()


def frames_from(
    teacher: str, layer: int, kernels: Sequence[int], strides: Sequence[int], sample_rate_hz: int, device: str
) -> Source:
    """What makes the frames to be clustered, one per frame of a CNN encoder of these `kernels` and `strides`.

    `teacher` is `mfcc` or a checkpoint, of which `layer` counts. Raises UserError if its frames lie differently.
    """
    field, hop = receptive_field(kernels, strides)
    if teacher == MFCC:
        return _Spectra(field, hop, sample_rate_hz)
    found = checkpoints.load(teacher, sample_rate_hz, "pretrain.targets")
    checkpoints.check_layer(found, layer, "pretrain.targets_layer")
    if (found.receptive_field_samples, found.hop_samples) != (field, hop):
        raise UserError(
            f"pretrain.targets: {teacher} has a frame of {found.receptive_field_samples} samples every "
            f"{found.hop_samples}, the model of pretrain.model one of {field} every {hop}: choose sizes with the same "
            "conv_kernel and conv_stride."
        )
    if not found.normalize:  # what learns hears normalised audio, and its teacher hears the same
        raise UserError(
            f"pretrain.targets: {teacher} wants its audio as it was recorded (do_normalize: false in its "
            "preprocessor_config.json), but pretraining normalises it: name another model."
        )
    found.model.to(device)
    return _States(found, layer)


class _Spectra:
    """MFCC frames with slopes, those nearest to the centres of the encoder's frames."""

    def __init__(self, field: int, hop: int, sample_rate_hz: int) -> None:
        self.extractor = Extractor(SPECTRAL, sample_rate_hz)
        self.field, self.hop = field, hop

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        centres = self.field / 2 + self.hop * np.arange(frames)
        nearest = np.round(centres / self.extractor.hop).astype(np.int64)
        return np.stack([found[nearest] for found in self.extractor(list(waves))])


class _States:
    """Hidden states of a checkpoint; one thread at a time, for they are read by a hook."""

    def __init__(self, checkpoint: checkpoints.Checkpoint, layer: int) -> None:
        self.checkpoint, self.layer, self.lock = checkpoint, layer, Lock()

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        lengths = torch.full((len(waves),), waves.shape[1])
        with self.lock:
            found, _ = hidden_states(self.checkpoint, torch.from_numpy(waves), lengths, self.layer)
        return found[:, :frames].cpu().numpy()
