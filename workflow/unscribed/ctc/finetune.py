"""Stage finetune: fine-tune a pretrained model with CTC, on few labels or on pseudo-labels.

Baevski et al., wav2vec 2.0, 2020, §4.2 and appendix B; on pseudo-labels, wav2vec-U (Baevski et al., 2021), §3.4.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from unscribed.artifacts import Pathlike, read_json
from unscribed.ctc.finetune_data import read_examples
from unscribed.ctc.finetune_trainer import FinetuneTrainer
from unscribed.ctc.model import FinetuneSettings, build, cnn_features, write_model
from unscribed.devices import device_of, out_of_memory
from unscribed.ssl.checkpoint import load
from unscribed.ssl.waveform import Speech
from unscribed.tables import FLAG, REAL, WHOLE, Table

log = logging.getLogger(__name__)

KEY = "finetune.checkpoint"
CHECKED_UTTERANCES = 200  # enough to rank the checks of one training, and a small part of its time


class FinetuneCurveTable(Table):
    """The checks of a fine-tuning; losses in nat per symbol, `uer` the error rate of letters or phones on valid."""

    SCHEMA: ClassVar = {
        "update": WHOLE,
        **dict.fromkeys(("seconds", "learning_rate", "loss", "gradient_norm", "valid_loss", "uer"), REAL),
        "best": FLAG,
    }


def finetune(
    *,
    checkpoint: str,
    train_labels: Sequence[str],
    manifests: Sequence[str],
    vads: Sequence[str],
    valid_labels: Sequence[str],
    valid_manifests: Sequence[str],
    valid_vads: Sequence[str],
    vocab: Pathlike,
    units: str,
    settings: FinetuneSettings,
    sample_rate_hz: int,
    seed: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """Fine-tune `checkpoint` on `train_labels` (PseudoLabelTable); write the best weights and the curves.

    Labels, manifests and vad tables are one for each language; several share the vocabulary (XLSR §3.3).
    The best weights are those of the check with the lowest error rate of letters or phones (`uer`) on up to
    CHECKED_UTTERANCES of `valid_labels`. Losses are in nat per symbol. `model` becomes a folder in Hugging Face's
    layout. A killed job resumes at its last check.
    Raises UserError for a checkpoint that cannot be used, if the requested GPU is missing, if no utterance can be
    trained on, if the loss is not finite, and if memory is full.
    """
    torch.set_num_threads(threads)
    device = device_of(settings.device, "finetune.device")
    pretrained, symbols = load(checkpoint, sample_rate_hz, KEY), read_json(vocab)
    network = build(pretrained, len(symbols), settings, seed).to(device)

    def encode(samples: np.ndarray) -> torch.Tensor:
        with settings.autocast():
            return cnn_features(network, samples)

    speech, valid_speech = (
        Speech.joined([Speech(*files, sample_rate_hz) for files in zip(*tables, strict=True)])
        for tables in ((manifests, vads), (valid_manifests, valid_vads))
    )
    train = read_examples(train_labels, speech, pretrained, encode, symbols, units, settings.min_confidence)
    valid = read_examples(valid_labels, valid_speech, pretrained, encode, symbols, units, 0.0, CHECKED_UTTERANCES)
    log.info("%d utterances, %.2f h of speech, %d symbols", len(train), train.hours, len(symbols))
    trainer = FinetuneTrainer(
        network, train, valid, settings, seed, [list(symbols), units, network.config.to_json_string()]
    )
    state = Path(curves).with_name("state.safetensors")
    trainer.resume(state)
    with out_of_memory("finetune.batch_seconds", settings.batch_seconds):
        trainer.run(state)
    write_model(model, network, pretrained, symbols, units)
    FinetuneCurveTable.from_records(trainer.rows).write(curves)
    state.unlink(missing_ok=True)
