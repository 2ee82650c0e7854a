"""Stage pretrain_targets: cluster MFCCs, or the hidden states of a teacher, into the labels that HuBERT learns from.

HuBERT (arXiv 2106.07447) §3.1: first k-means of MFCCs, then of the hidden states of the model that learned from those.
The teacher is that earlier model. Dimensions: B utterances of a batch, N samples, T frames, D features, V clusters.
Utterances of a batch are equally long, so nothing is padded.
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
)  # HuBERT §4.2: 13 coefficients with slopes and slopes of slopes, 39 dimensions

Source = Callable[[np.ndarray, int], np.ndarray]  # makes frames (B, T, D) from normalised waves (B, N) and T


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

    `teacher` is `mfcc`, or a checkpoint of which the states of `layer` are taken; `sizes` is the file with the sizes of
    the model to be trained. Raises UserError if there are fewer frames than clusters, and as `frames_from` does.
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
            if count:  # an utterance shorter than the receptive field has no frame
                sample.append(source(samples, count)[0][:left])
                left -= len(sample[-1])
            if not left:
                break
    frames = np.concatenate(sample) if sample else np.empty((0, 1), np.float32)
    centroids, scale = cluster(frames, settings, seed, "pretrain.clusters")
    write_tensors(targets, {"centroids": centroids, "scale": scale})


class Targets:
    """The clusters at `path`, and `source`, which makes the frames that they cluster.

    Attributes: `clusters`, their number V; `digest`, the hash of the file.
    """

    def __init__(self, path: Pathlike, source: Source) -> None:
        self.source = source
        tensors, _ = read_tensors(path)
        self.scale = tensors["scale"]
        self.centroids = torch.from_numpy(tensors["centroids"] / self.scale)
        self.clusters = len(self.centroids)
        self.digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        """Find the nearest cluster of each of `frames` frames, (B, T) int64, of normalised `waves` (B, N)."""
        values = torch.from_numpy(self.source(waves, frames) / self.scale)
        # Half the negative squared distance, without the frame's own square: the largest is the nearest centroid.
        closeness = values @ self.centroids.T - self.centroids.square().sum(dim=1) / 2
        return closeness.argmax(dim=-1).numpy()


def frames_from(
    teacher: str, layer: int, kernels: Sequence[int], strides: Sequence[int], sample_rate_hz: int, device: str
) -> Source:
    """Make the source of the frames to be clustered, one for each frame of a CNN encoder of `kernels` and `strides`.

    `teacher` is `mfcc`, or a checkpoint of which the states of `layer` are taken. Raises UserError if the frames of
    the checkpoint have another length or hop, or if it expects audio that is not normalised.
    """
    field, hop = receptive_field(kernels, strides)
    if teacher == MFCC:
        return _Spectra(field, hop, sample_rate_hz)
    found = checkpoints.load(teacher, sample_rate_hz, "pretrain.targets")
    checkpoints.check_layer(found, layer, "pretrain.targets_layer")
    if (found.receptive_field_samples, found.hop_samples) != (field, hop):
        raise UserError(
            f"pretrain.targets: {teacher} has a frame of {found.receptive_field_samples} samples every "
            f"{found.hop_samples}, but the model of pretrain.model one of {field} every {hop}: choose a pretrain.model "
            "with the same conv_kernel and conv_stride."
        )
    if not found.normalize:  # pretraining normalises the audio, and model and teacher get the same
        raise UserError(
            f"pretrain.targets: {teacher} expects audio that is not normalised (do_normalize: false in its "
            "preprocessor_config.json), but pretraining normalises it: name another model."
        )
    found.model.to(device)
    return _States(found, layer)


class _Spectra:
    """MFCCs with slopes; for each frame of the encoder, the MFCC frame nearest to its centre."""

    def __init__(self, field: int, hop: int, sample_rate_hz: int) -> None:
        self.extractor = Extractor(SPECTRAL, sample_rate_hz)
        self.field, self.hop = field, hop

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        centres = self.field / 2 + self.hop * np.arange(frames)
        nearest = np.round(centres / self.extractor.hop).astype(np.int64)
        return np.stack([mfccs[nearest] for mfccs in self.extractor(list(waves))])


class _States:
    """Hidden states of a checkpoint; one thread at a time, because a hook on the model reads them."""

    def __init__(self, checkpoint: checkpoints.Checkpoint, layer: int) -> None:
        self.checkpoint, self.layer, self.lock = checkpoint, layer, Lock()

    def __call__(self, waves: np.ndarray, frames: int) -> np.ndarray:
        lengths = torch.full((len(waves),), waves.shape[1])
        with self.lock:
            states, _ = hidden_states(self.checkpoint, torch.from_numpy(waves), lengths, self.layer)
        return states[:, :frames].cpu().numpy()
