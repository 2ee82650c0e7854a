"""A pretrained encoder with a new linear output layer for letters or phones, and its loss.

Baevski et al., wav2vec 2.0, 2020, §4.2: the model is trained with CTC (Graves et al., 2006), its CNN encoder is frozen,
and spans of frames and channels are masked as in SpecAugment.
Dimensions: B utterances of a batch, N samples, T frames, C channels of the CNN encoder, D of the transformer,
V symbols, L symbols of all transcripts of a batch.
"""

import copy
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForCTC, PreTrainedModel, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor
from transformers.utils import logging as transformers_logging

from unscribed.artifacts import Pathlike, atomic_folder, write_json
from unscribed.ssl.checkpoint import Checkpoint
from unscribed.ssl.masking import span_masks
from unscribed.ssl.waveform import mask_of
from unscribed.text.letters import SPECIAL, WORD_DELIMITER

MASKED_FRAMES, MASKED_CHANNELS = 10, 64  # lengths of masked spans, as in fairseq's fine-tuning configurations
CHANNEL_SPANS = 12  # a masked span is at most this part of all channels: 64 of BASE's 768, fewer in narrower models


@dataclass(frozen=True)
class FinetuneSettings:
    """Training parameters from section `finetune`."""

    updates: int
    freeze_updates: int
    learning_rate: float
    batch_seconds: float
    accumulation: int
    mask_probability: float
    channel_mask_probability: float
    dropout: float
    layerdrop: float
    min_confidence: float
    check_every: int
    precision: str
    device: str

    def autocast(self) -> AbstractContextManager[None]:
        """A context that computes in half precision, if the settings ask for it."""
        half = self.precision != "float32"
        return torch.autocast(self.device, getattr(torch, self.precision) if half else None, enabled=half)


@dataclass(frozen=True)
class CtcBatch:
    """`features` (B, T, C), `frames` (B,), `targets` (L,) of all utterances in a row, and their `lengths` (B,)."""

    features: torch.Tensor
    frames: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor

    def to(self, device: torch.device) -> "CtcBatch":
        """The same on a device."""
        return CtcBatch(*(part.to(device) for part in (self.features, self.frames, self.targets, self.lengths)))


@dataclass(frozen=True)
class Masks:
    """Which frames and channels of a batch are masked: `time` (B, T) bool and `channels` (B, D) bool."""

    time: torch.Tensor
    channels: torch.Tensor


def build(checkpoint: Checkpoint, symbols: int, settings: FinetuneSettings, seed: int) -> PreTrainedModel:
    """The encoder of `checkpoint` with a random linear layer of `symbols` outputs; its CNN encoder is frozen.

    Dropout as in fairseq's fine-tuning: within the feed-forward layers and before the linear layer only.
    """
    config = copy.deepcopy(checkpoint.model.config)
    config.vocab_size, config.pad_token_id, config.bos_token_id, config.eos_token_id = symbols, 0, None, None
    config.ctc_loss_reduction, config.ctc_zero_infinity, config.add_adapter = "sum", True, False
    config.activation_dropout = config.final_dropout = settings.dropout
    config.hidden_dropout = config.attention_dropout = config.feat_proj_dropout = 0.0
    config.layerdrop = settings.layerdrop
    config.mask_time_prob, config.mask_time_length = settings.mask_probability, MASKED_FRAMES
    config.mask_feature_prob = settings.channel_mask_probability
    config.mask_feature_length = max(1, min(MASKED_CHANNELS, config.hidden_size // CHANNEL_SPANS))
    torch.manual_seed(seed)
    model = AutoModelForCTC.from_config(config)
    # not strict: a checkpoint that was saved without masking has no embedding of masked frames
    encoder(model).load_state_dict(checkpoint.model.state_dict(), strict=False)
    model.freeze_feature_encoder()
    return model


def encoder(model: PreTrainedModel) -> PreTrainedModel:
    """The model without the linear layer."""
    return getattr(model, model.base_model_prefix)


@torch.no_grad()
def cnn_features(model: PreTrainedModel, samples: np.ndarray) -> torch.Tensor:
    """Features of one utterance (N,) by the CNN encoder, (T, C).

    Utterances go through it one by one: the group normalisation of BASE models, over the whole length, would otherwise
    depend on how much padding the batch needs.
    """
    return encoder(model).feature_extractor(torch.from_numpy(samples)[None].to(model.device))[0].T


def draw_masks(frames: np.ndarray, model: PreTrainedModel, generator: np.random.Generator) -> Masks:
    """Draw spans of frames and of channels, for utterances of `frames` (B,); no frames in utterances below one span."""
    config = model.config
    time = np.zeros((len(frames), frames.max()), dtype=bool)
    for row, length in zip(time, frames, strict=True):
        if config.mask_time_prob and length > config.mask_time_length:
            row[:length] = span_masks(length, 1, config.mask_time_prob, config.mask_time_length, generator)[0]
    channels = np.zeros((len(frames), config.hidden_size), dtype=bool)
    if config.mask_feature_prob:
        channels = span_masks(
            config.hidden_size, len(frames), config.mask_feature_prob, config.mask_feature_length, generator
        )
    return Masks(torch.from_numpy(time).to(model.device), torch.from_numpy(channels).to(model.device))


def logits(
    model: PreTrainedModel,
    features: torch.Tensor,
    frames: torch.Tensor,
    masks: Masks | None = None,
    frozen: bool = False,
) -> torch.Tensor:
    """Scores of the symbols, (B, T, V), for features (B, T, C) of which `frames` (B,) are no padding.

    If `frozen`, no gradient reaches more than the linear layer.
    """
    network = encoder(model)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
        projected = network.feature_projection(features)
        hidden = projected[0] if isinstance(projected, tuple) else projected  # HuBERT's is no tuple
        if masks is not None and masks.time.any():
            hidden = torch.where(masks.time[..., None], network.masked_spec_embed.to(hidden.dtype), hidden)
        if masks is not None:
            hidden = hidden.masked_fill(masks.channels[:, None], 0.0)
        mask = mask_of(frames, features.shape[1])
        # float32 for the residual stream: in half precision, its large values would swallow what a block adds.
        hidden = network.encoder(hidden.float(), attention_mask=mask).last_hidden_state
    return model.lm_head(model.dropout(hidden))


def ctc_loss(scores: torch.Tensor, batch: CtcBatch) -> torch.Tensor:
    """Negative log likelihood of the transcripts of a batch, in nat, summed."""
    return functional.ctc_loss(
        functional.log_softmax(scores.float(), dim=-1).transpose(0, 1),
        *(batch.targets, batch.frames, batch.lengths),
        blank=0,
        reduction="sum",
        zero_infinity=True,
    )


def needed_frames(target: np.ndarray) -> int:
    """The fewest frames that CTC can align a transcript with: equal neighbours need a blank between them."""
    return len(target) + int((target[1:] == target[:-1]).sum())


def collapsed(path: np.ndarray) -> np.ndarray:
    """Return the symbols of a path (T,) without repetitions and blanks."""
    changes = np.append(True, path[1:] != path[:-1])[: len(path)]
    return path[changes & (path != 0)]


def write_model(
    folder: Pathlike, model: PreTrainedModel, checkpoint: Checkpoint, vocab: dict[str, int], units: str
) -> None:
    """Write the model in Hugging Face's layout, as transformers' processors and pipelines read it.

    Only letters get a tokenizer: transformers has none that joins phones without a phonemizer.
    """
    transformers_logging.disable_progress_bar()
    with atomic_folder(folder) as temporary:
        model.save_pretrained(temporary)
        Wav2Vec2FeatureExtractor(
            sampling_rate=checkpoint.sample_rate_hz, do_normalize=checkpoint.normalize, return_attention_mask=True
        ).save_pretrained(temporary)
        write_json(Path(temporary) / "vocab.json", vocab)
        if units == "letters":
            Wav2Vec2CTCTokenizer(
                str(Path(temporary) / "vocab.json"),
                **{"pad_token": SPECIAL[0], "word_delimiter_token": WORD_DELIMITER, "unk_token": SPECIAL[2]},
                **{"bos_token": None, "eos_token": None},
            ).save_pretrained(temporary)
        for path in Path(temporary).iterdir():
            path.chmod(0o644)  # safetensors writes files that only their owner may read
