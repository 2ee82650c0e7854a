"""Stage features, learned kinds: the hidden states of one layer of a pretrained encoder, for every frame of speech.

The split is cut into blocks of consecutive utterances; within a block, utterances of similar length are batched. Each
finished block is stored in a folder beside the result, so that a killed job resumes and memory does not grow with the
corpus. Dimensions: B utterances of a batch, N samples, T frames, D dimensions of the hidden states.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from unscribed.artifacts import Pathlike
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.parallel import log_speed, ordered_map
from unscribed.ssl.parts import Parts
from unscribed.ssl.waveform import Speech, padded
from unscribed.stage import named_function

log = logging.getLogger(__name__)

BLOCK_SECONDS = 900.0  # audio per block: a killed job loses at most one; a large model's frames (D 1024) fill 90 MB
LOG_SECONDS = 60.0  # least time between two lines of progress


@dataclass(frozen=True)
class LearnedSettings:
    """The keys of section `features` that learned kinds use, without the checkpoint."""

    kind: str
    layer: int
    batch_seconds: float
    device: str
    shards: int


class SpeechEncoder(Protocol):
    """The encoder of a learned kind: one layer of a checkpoint, loaded on the CPU.

    `name` is the checkpoint as in the configuration, `dims` (D) the size of a frame, `receptive_field_samples` the
    shortest possible utterance. The function that a LearnedKind names makes one from `checkpoint`, `layer` and
    `sample_rate_hz`, and raises UserError if the checkpoint or layer does not exist.
    """

    name: str
    sample_rate_hz: int
    hop_samples: int
    receptive_field_samples: int
    dims: int

    def identity(self) -> Any:
        """Sizes and weights of this encoder as JSON: if they change, parts of an earlier job are not reused."""
        ...

    def start(self, device: torch.device) -> None:
        """Move the model to `device`."""
        ...

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """Normalise an utterance (N,) as the encoder expects; called in threads."""
        ...

    def frames(self, waves: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode padded `waves` (B, N) of `lengths` (B,): frames (B, T, D) and the number of valid ones (B,).

        The frames of an utterance must not depend on the rest of the batch or on padding.
        """
        ...


def learned_features(
    *,
    manifest: Pathlike,
    vad: Pathlike,
    settings: LearnedSettings,
    encoder: str,
    checkpoint: str,
    sample_rate_hz: int,
    hop_ms: float,
    shard: int | str,
    features: Pathlike,
    threads: int,
) -> None:
    """Write the frame store of one split, or of one shard of it: every `settings.shards`-th block from `shard` on.

    `encoder` names the function that loads the checkpoint (`module:function`). Utterances are in the order of the
    manifest, their regions of speech joined. `hop_ms` is the time between two frames that the other stages assume.
    Raises UserError for a checkpoint, layer or device that does not exist, for an utterance shorter than the receptive
    field, for values beyond float16, and if the memory is full.
    """
    started = time.monotonic()
    torch.set_num_threads(threads)
    device = device_of(settings.device, "features.device")
    loaded: SpeechEncoder = named_function(encoder)(str(checkpoint), settings.layer, sample_rate_hz)
    speech = Speech(manifest, vad, sample_rate_hz)
    metadata = _metadata(loaded, settings)
    _check(loaded, speech, metadata["hop_ms"], hop_ms)
    blocks = _blocks(speech.lengths / sample_rate_hz)[int(shard) :: settings.shards]
    parts = Parts(Path(features), _fingerprint(loaded, settings, speech, blocks))
    todo = [number for number in range(len(blocks)) if not parts.has(number)]
    if len(todo) < len(blocks):
        log.info("resumed: %d of %d blocks are finished already", len(blocks) - len(todo), len(blocks))
    with out_of_memory("features.batch_seconds", settings.batch_seconds):
        loaded.start(device)
        _extract(loaded, speech, [(number, blocks[number]) for number in todo], settings, parts, threads)
    parts.join(len(blocks), metadata)
    done = np.concatenate([blocks[number] for number in todo]) if todo else np.zeros(0, dtype=np.int64)
    log_speed(log, len(done), float(speech.lengths[done].sum() / sample_rate_hz), started)


def _extract(
    encoder: SpeechEncoder,
    speech: Speech,
    blocks: Sequence[tuple[int, np.ndarray]],
    settings: LearnedSettings,
    parts: Parts,
    threads: int,
) -> None:
    """Write the frames of `blocks`, pairs of a block's number and its utterances, to `parts`."""

    def read(batch: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return padded([encoder.prepare(speech[number]) for number in batch])

    most = settings.batch_seconds * encoder.sample_rate_hz
    batches = [list(batches_by_length(block, speech.lengths, most)) for _, block in blocks]
    audio = ordered_map(read, [batch for group in batches for batch in group], threads, "features")
    started = logged = time.monotonic()
    seconds = 0.0
    for done, ((number, block), group) in enumerate(zip(blocks, batches, strict=True), start=1):
        frames: dict[int, np.ndarray] = {}
        for batch in group:
            states, counts = encoder.frames(*next(audio))
            values = states.half().cpu().numpy()
            for utterance, row, count in zip(batch, values, counts.tolist(), strict=True):
                _check_values(row[:count], speech.paths[utterance], encoder, settings)
                frames[utterance] = row[:count].copy()  # a view would keep the whole batch in memory
        parts.write(number, [speech.utterances[place] for place in block], [frames[place] for place in block])
        seconds += float(speech.lengths[block].sum()) / encoder.sample_rate_hz
        if time.monotonic() - logged > LOG_SECONDS:
            logged = time.monotonic()
            log.info("block %d of %d, %.0f x real time", done, len(blocks), seconds / (logged - started))


def _blocks(seconds: np.ndarray) -> list[np.ndarray]:
    """Divide utterances of these `seconds` into blocks of about BLOCK_SECONDS; return the numbers in each block."""
    starts = np.cumsum(seconds) - seconds
    block = (starts // BLOCK_SECONDS).astype(np.int64)
    return np.split(np.arange(len(seconds)), np.flatnonzero(np.diff(block)) + 1) if len(seconds) else []


def batches_by_length(block: np.ndarray, lengths: np.ndarray, most: float) -> Iterator[np.ndarray]:
    """Yield the utterances of a block, longest first, in batches of at most `most` samples with padding, or of one."""
    ordered = block[np.argsort(-lengths[block], kind="stable")]
    first = 0
    while first < len(ordered):
        count = max(1, int(most // max(1, lengths[ordered[first]])))
        yield ordered[first : first + count]
        first += count


def _metadata(encoder: SpeechEncoder, settings: LearnedSettings) -> dict[str, Any]:
    return {
        "kind": settings.kind,
        "dims": encoder.dims,
        "static_dims": encoder.dims,
        "hop_ms": 1000 * encoder.hop_samples / encoder.sample_rate_hz,
        "sample_rate_hz": encoder.sample_rate_hz,
        "checkpoint": encoder.name,
        "layer": settings.layer,
    }


def _check(encoder: SpeechEncoder, speech: Speech, hop_ms: float, expected_ms: float) -> None:
    """Raise UserError if the hop is not the one that the other stages assume, or if an utterance is too short."""
    if abs(hop_ms - expected_ms) > 1e-6:
        raise UserError(
            f"features.checkpoint: {encoder.name} gives a frame every {hop_ms:g} ms, not every {expected_ms:g} ms, "
            "which is assumed for models on the hub: download it into a folder and name that folder, so that its hop "
            "is read from its config.json."
        )
    field, rate = encoder.receptive_field_samples, encoder.sample_rate_hz
    short = np.flatnonzero(speech.lengths < field)
    if len(short):
        raise UserError(
            f"{speech.paths[short[0]]} has {1000 * speech.lengths[short[0]] / rate:.0f} ms of speech, less than the "
            f"{1000 * field / rate:g} ms of one frame of {encoder.name} ({len(short)} such files): remove the file, "
            "or raise audio.min_seconds or vad.margin_ms."
        )


def _check_values(frames: np.ndarray, path: str, encoder: SpeechEncoder, settings: LearnedSettings) -> None:
    """Raise UserError if `frames` (T, D) float16 have infinite values (beyond float16) or NaN."""
    if np.isfinite(frames).all():
        return
    wide = "features.device: cpu (which computes in float32), or " if settings.device == "cuda" else ""
    raise UserError(
        f"{path}: layer {settings.layer} of {encoder.name} gives values that are not finite or exceed "
        f"{np.finfo(np.float16).max:g}, the largest that the frame store holds: set {wide}another features.layer. If "
        "all layers do so, the checkpoint is damaged, or its training diverged."
    )


def _fingerprint(
    encoder: SpeechEncoder, settings: LearnedSettings, speech: Speech, blocks: Sequence[np.ndarray]
) -> str:
    """Hash everything that must be the same for a killed job to resume; the size of batches may change."""
    regions = [
        (path, s.tolist(), e.tolist()) for path, s, e in zip(speech.paths, speech.starts, speech.ends, strict=True)
    ]
    about = {
        "settings": {name: value for name, value in asdict(settings).items() if name != "batch_seconds"},
        "model": encoder.identity(),
        "audio": [speech.utterances, regions, speech.sample_rate_hz],
        "blocks": [block[[0, -1]].tolist() for block in blocks],
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
