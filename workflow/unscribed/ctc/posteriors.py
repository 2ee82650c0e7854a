"""Stages ctc_log_probs and ctc_greedy: posteriors of a fine-tuned model, and the words of its best path.

Dimensions: N samples, T frames, V symbols; symbol 0, `<pad>`, is CTC's blank.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from tqdm import tqdm
from transformers import AutoModelForCTC, PreTrainedModel
from transformers.utils import logging as transformers_logging

from unscribed.artifacts import Pathlike, read_json
from unscribed.ctc.finetune_data import pack
from unscribed.ctc.model import FinetuneSettings, cnn_features, logits
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.parallel import log_speed
from unscribed.ssl.checkpoint_files import PREPROCESSOR
from unscribed.ssl.waveform import Speech, frames_of, normalized, receptive_field
from unscribed.tables import NO_PATH, WordTable
from unscribed.text.letters import WORD_DELIMITER

log = logging.getLogger(__name__)

SORTED_AHEAD = 256  # utterances sorted by length at a time: more pad less, but keep more posteriors in memory


@dataclass(frozen=True)
class Token:
    """A symbol on a path: its frames [start, end) and its mean posterior there, 0 to 1."""

    symbol: int
    start: int
    end: int
    confidence: float


def ctc_log_probs(
    *,
    model: Pathlike,
    manifest: Pathlike,
    vad: Pathlike,
    units: str,
    settings: FinetuneSettings,
    sample_rate_hz: int,
    threads: int,
    log_probs: Pathlike,
) -> None:
    """Write the natural log posteriors of every frame of the speech, a frame store (T, V) of float16.

    Metadata: `vocab` (V symbols in their order), `units`, `hop_ms`, `sample_rate_hz`. Utterances shorter than the
    receptive field have no frames. Raises UserError for a damaged model, without a GPU that is asked for, and for a
    full memory.
    """
    torch.set_num_threads(threads)
    started = time.monotonic()
    device = device_of(settings.device, "finetune.device")
    network, symbols, normalize = read_ctc_model(Path(model))
    network = network.to(device)
    config, speech = network.config, Speech(manifest, vad, sample_rate_hz)
    hop = receptive_field(config.conv_kernel, config.conv_stride)[1] / sample_rate_hz
    frames = frames_of(torch.from_numpy(speech.lengths), config.conv_kernel, config.conv_stride).numpy()
    metadata = {"vocab": symbols, "units": units, "hop_ms": 1000 * hop, "sample_rate_hz": sample_rate_hz}
    with (
        FrameWriter(log_probs, metadata, "float16") as store,
        out_of_memory("finetune.batch_seconds", settings.batch_seconds),
        tqdm(total=len(speech), disable=None) as progress,
    ):
        for first in range(0, len(speech), SORTED_AHEAD):
            window = np.arange(first, min(first + SORTED_AHEAD, len(speech)))
            found = {number: np.zeros((0, len(symbols))) for number in window.tolist()}
            audible = window[frames[window] > 0]
            order = audible[np.argsort(frames[audible], kind="stable")]
            for picked in pack(order, frames, settings.batch_seconds / hop):
                waves = [normalized(speech[number]) if normalize else speech[number] for number in picked]
                rows = posteriors(network, waves, frames[picked], settings.autocast())
                found |= dict(zip(picked.tolist(), rows, strict=True))
                progress.update(len(picked))
            for number in window.tolist():
                store.append(speech.utterances[number], found[number])
    log_speed(log, len(speech), float(speech.lengths.sum()) / sample_rate_hz, started)


@torch.inference_mode()
def posteriors(
    network: PreTrainedModel, waves: Sequence[np.ndarray], frames: np.ndarray, precision: AbstractContextManager[None]
) -> list[np.ndarray]:
    """Compute the log posteriors of each of some utterances (N,) of so many `frames`, (T, V) float16."""
    with precision:
        features = [cnn_features(network, samples) for samples in waves]
        padded = torch.nn.utils.rnn.pad_sequence(features, batch_first=True).float()
        scores = logits(network, padded, torch.from_numpy(frames).to(network.device))
    found = scores.float().log_softmax(dim=-1).to("cpu", torch.float16).numpy()
    return [rows[:length] for rows, length in zip(found, frames, strict=True)]


def read_ctc_model(folder: Path) -> tuple[PreTrainedModel, list[str], bool]:
    """Read a fine-tuned model: in eval mode, its symbols by number, and whether it wants normalised waveforms.

    Raises UserError if it is missing or damaged.
    """
    transformers_logging.disable_progress_bar()
    try:
        network = AutoModelForCTC.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        vocab: dict[str, int] = read_json(folder / "vocab.json")
        about = read_json(folder / PREPROCESSOR)
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{folder} is missing or damaged ({error}): delete it and run the stage finetune.") from error
    return network.eval(), sorted(vocab, key=vocab.__getitem__), about["do_normalize"]


def ctc_greedy(*, log_probs: Pathlike, words: Pathlike) -> None:
    """Write the most probable path of every utterance (WordTable): letters as words, or phones.

    Times are in frames of the store, whose metadata goes along; a word's confidence is the mean of its letters'.
    Utterances without frames have the status `no_path`.
    """
    store = FrameStore(log_probs)
    table = WordTable()
    for utterance, found in store:
        if len(found):
            table.append(utterance=utterance, **_row(np.asarray(found, dtype=np.float32), store.metadata))
        else:
            table.append_no_path(utterance, 0)
    table.write(words, store.metadata)
    silent = table.columns["status"].count(NO_PATH)
    log.info("%d utterances, %d words; %d without frames", len(store), sum(map(len, table.columns["words"])), silent)


def _row(log_probs: np.ndarray, metadata: dict) -> dict:
    """The best path of (T, V) log posteriors as a row of a WordTable, without the utterance's name."""
    symbols, tokens = metadata["vocab"], best_path(log_probs)
    row: dict = {name: [] for name in WordTable.SCHEMA if name != "utterance"}
    row |= {"frames": len(log_probs), "status": "ok", "nbest_scores": [float(log_probs.max(axis=1).sum())]}
    if metadata["units"] == "phones":
        phones = {"phones": [symbols[token.symbol] for token in tokens], "nbest": [""]}
        return row | phones | {"starts_frames": [token.start for token in tokens]}
    words = split_words(tokens, symbols.index(WORD_DELIMITER))
    spelled = ["".join(symbols[token.symbol] for token in word) for word in words]
    return row | {
        "words": spelled,
        "word_starts_frames": [word[0].start for word in words],
        "word_frames": [word[-1].end - word[0].start for word in words],
        "word_confidences": [float(np.mean([token.confidence for token in word])) for word in words],
        "nbest": [" ".join(spelled)],
    }


def best_path(log_probs: np.ndarray) -> list[Token]:
    """The symbols of the most probable path through (T, V) log posteriors, without blanks and repetitions."""
    path, chances = log_probs.argmax(axis=1), np.exp(log_probs.max(axis=1))
    edges = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    return [
        Token(int(path[start]), int(start), int(end), min(1.0, float(chances[start:end].mean())))
        for start, end in pairwise(edges)
        if path[start] != 0
    ]


def split_words(tokens: Sequence[Token], delimiter: int) -> list[list[Token]]:
    """Split letters into words at the delimiter; empty words are dropped."""
    words: list[list[Token]] = [[]]
    for token in tokens:
        if token.symbol == delimiter:
            words.append([])
        else:
            words[-1].append(token)
    return [word for word in words if word]
