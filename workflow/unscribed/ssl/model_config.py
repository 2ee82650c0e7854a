"""Read the sizes of a model to pretrain: YAML with fields of transformers' Wav2Vec2Config, also used for HuBERT."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub.errors import StrictDataclassError
from transformers import HubertConfig, Wav2Vec2Config

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.ssl.waveform import receptive_field

OURS = {  # fields that this project's configuration sets, by the name that they have there
    "mask_time_prob": "pretrain.mask_probability",
    "mask_time_length": "pretrain.mask_frames",
    "num_negatives": "pretrain.negatives",
    "contrastive_logits_temperature": "pretrain.contrastive_temperature",
    "diversity_loss_weight": "pretrain.diversity_weight",
}


def read_model_config(path: Pathlike) -> Wav2Vec2Config:
    """Read the model configuration in a YAML file; fields that it leaves out get transformers' defaults.

    Raises UserError if the file is missing or no YAML, for fields that transformers does not have or that section
    `pretrain` sets, and for sizes that do not fit together.
    """
    values = _read(path)
    known = Wav2Vec2Config().to_dict()
    for name in values:
        if name in OURS:
            raise UserError(f"{path}: {name} is set in the configuration, as {OURS[name]}: remove the line.")
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f": did you mean {near[0]}?" if near else ": remove the line."
            raise UserError(f"{path}: transformers' Wav2Vec2Config has no {name}{hint}")
    try:
        config = Wav2Vec2Config(**values)
    except (ValueError, TypeError, StrictDataclassError) as error:
        raise UserError(
            f"{path} describes no wav2vec 2.0 model ({' '.join(str(error).split())}): correct the file; "
            "config/models has examples."
        ) from error
    _check(path, config)
    return config


def hubert_config(config: Wav2Vec2Config) -> HubertConfig:
    """Take over the sizes for HuBERT, which is wav2vec 2.0 without codebooks."""
    values, known = config.to_diff_dict(), HubertConfig().to_dict()
    return HubertConfig(**{name: value for name, value in values.items() if name in known and name != "model_type"})


def _read(path: Pathlike) -> dict[str, Any]:
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"pretrain.model: {path} cannot be read ({error.strerror}): name a file, such as one of config/models."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"pretrain.model: {path} is no YAML ({' '.join(str(error).split())}): correct it.") from error
    if not isinstance(values, dict):
        raise UserError(f"pretrain.model: {path} has no lines of the form `key: value`: see config/models/base.yaml.")
    return values


def _check(path: Pathlike, config: Wav2Vec2Config) -> None:
    """Raise UserError for sizes that transformers would reject only while building the model, or never."""
    divisors = {
        "hidden_size": ("num_attention_heads", "num_conv_pos_embedding_groups"),
        "codevector_dim": ("num_codevector_groups",),
    }
    for name, parts in divisors.items():
        for part in parts:
            if getattr(config, name) % getattr(config, part):
                raise UserError(
                    f"{path}: {name} is {getattr(config, name)}, which {part} ({getattr(config, part)}) does not "
                    "divide: change one of them."
                )
    if config.do_stable_layer_norm and config.feat_extract_norm != "layer":
        raise UserError(f"{path}: do_stable_layer_norm goes with feat_extract_norm: layer; set both or neither.")
    field, hop = receptive_field(config.conv_kernel, config.conv_stride)
    if field < hop:
        raise UserError(
            f"{path}: the CNN encoder sees {field} samples every {hop}, so it would skip samples: use larger "
            "conv_kernel or smaller conv_stride."
        )
