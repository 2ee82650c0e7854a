"""Find, check and load checkpoints of wav2vec 2.0, HuBERT and WavLM in the layout of Hugging Face.

What transformers only warns of (missing weights that it fills at random, shapes that do not fit) is an error here.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    StrictDataclassError,
)
from safetensors import SafetensorError
from transformers import PreTrainedModel

from unscribed.errors import UserError
from unscribed.ssl.waveform import receptive_field

log = logging.getLogger(__name__)

MODEL_TYPES = ("wav2vec2", "hubert", "wavlm")  # XLSR, XLS-R and MMS are wav2vec2
DEFAULT_RATE_HZ = 16000  # for checkpoints without a preprocessor file: what wav2vec 2.0 and transformers assume
CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")  # one file, or the index of several
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")  # only looked for to explain why they are refused
PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"  # newer transformers write the preprocessor into this file
WANTED = [CONFIG, PREPROCESSOR, PROCESSOR, "model*.safetensors", "model.safetensors.index.json"]  # to be downloaded
NOT_NEEDED = {"masked_spec_embed"}  # weights that only masking, that is pretraining, uses: they may be missing
CONVERT = (
    "convert it with transformers (`AutoModel.from_pretrained(SOURCE).save_pretrained(FOLDER)`) on a machine where you "
    "trust its source, and name that folder"
)


@dataclass(frozen=True)
class Checkpoint:
    """A base encoder in eval mode, float32, on the CPU, and the audio that it expects.

    `normalize`: waveforms of zero mean and unit variance; `name`: as in the configuration; `folder`: of its files.
    """

    model: PreTrainedModel
    normalize: bool
    sample_rate_hz: int
    name: str
    folder: Path

    @property
    def kernels(self) -> list[int]:
        """Kernel sizes of the CNN encoder."""
        return list(self.model.config.conv_kernel)

    @property
    def strides(self) -> list[int]:
        """Strides of the CNN encoder."""
        return list(self.model.config.conv_stride)

    @property
    def hop_samples(self) -> int:
        """Samples from one frame to the next."""
        return receptive_field(self.kernels, self.strides)[1]

    @property
    def receptive_field_samples(self) -> int:
        """Samples that one frame sees: shorter audio has no frame."""
        return receptive_field(self.kernels, self.strides)[0]

    @property
    def layers(self) -> int:
        """Number of Transformer blocks."""
        return int(self.model.config.num_hidden_layers)

    @property
    def dims(self) -> int:
        """Dimensions of the hidden states."""
        return int(self.model.config.hidden_size)


def load(name: str, sample_rate_hz: int, key: str = "features.checkpoint") -> Checkpoint:
    """Load the base encoder of a checkpoint: a folder, or a name on the Hugging Face hub with an optional `@revision`.

    Raises UserError, which names the configuration's `key`, if there is no such checkpoint, if its type is not one of
    MODEL_TYPES, if it has no safetensors or they lack weights of the encoder, or if its sampling rate is not
    `sample_rate_hz`.
    """
    folder = find(name, key)
    config = _read_config(folder, key)
    _check_weights(folder, name, key)
    rate, normalize = _preprocessing(folder, key)
    if rate != sample_rate_hz:
        raise UserError(
            f"{key}: {name} was made for audio of {rate} Hz, but audio.sample_rate_hz is {sample_rate_hz}: set "
            f"audio.sample_rate_hz: {rate} (all audio is brought to it), or choose another checkpoint."
        )
    model = _read_model(folder, config["model_type"], key)
    return Checkpoint(model.eval(), normalize, rate, name, folder)


def find(name: str, key: str) -> Path:
    """Find the folder of a checkpoint; download one on the hub unless it is in the cache.

    Raises UserError if there is neither such a folder nor such a name on the hub, or the hub cannot be reached.
    """
    if not name:
        raise UserError(f"{key} is empty: set it to the folder of a checkpoint or its name on the Hugging Face hub.")
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    repository, _, revision = name.partition("@")
    no_folder = f"{key}: there is no folder {name} (relative to {Path.cwd()})"
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=WANTED))
    except HFValidationError as error:  # /some/path, or a/b/c
        raise UserError(f"{no_folder}, and no model on the Hugging Face hub can have that name: correct it.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UserError(
            f"{no_folder}, and the Hugging Face hub has no such model or revision: correct the name (for a private "
            "model, log in with `hf auth login`)."
        ) from error
    except OSError as error:  # no network, and the cache does not have it
        raise UserError(
            f"{no_folder}. If it should be a folder, correct the path. If it is a model on the Hugging Face hub, that "
            f"cannot be reached from here: run `hf download {repository}` where there is network and copy the cache "
            "(~/.cache/huggingface), or copy the model's folder and name that."
        ) from error


def check_layer(checkpoint: Checkpoint, layer: int, key: str = "features.layer") -> None:
    """Raise UserError, which names the configuration's `key`, if the checkpoint does not have this layer."""
    if not 0 <= layer <= checkpoint.layers:
        raise UserError(
            f"{key}: {layer} is more than the {checkpoint.layers} blocks of {checkpoint.name}: choose 0 (the input of "
            f"the first block) to {checkpoint.layers}."
        )


def _read_json(path: Path, key: str) -> dict[str, Any]:
    """Read a JSON object. Raises UserError if the file is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{key}: {path} is damaged ({error}): copy or download the checkpoint again.") from error
    if not isinstance(values, dict):
        raise UserError(f"{key}: {path} is damaged (no JSON object): copy or download the checkpoint again.")
    return values


def _read_config(folder: Path, key: str) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(
            f"{key}: {folder} has no {CONFIG}, so it is no checkpoint in the layout of Hugging Face: set {key} to the "
            f"folder that holds {CONFIG}."
        )
    config = _read_json(path, key)
    if config.get("model_type") not in MODEL_TYPES:
        raise UserError(
            f"{key}: {path} describes a model of type {config.get('model_type', '(none given)')}: choose a checkpoint "
            f"of type {', '.join(MODEL_TYPES[:-1])} or {MODEL_TYPES[-1]}."
        )
    return config


def _check_weights(folder: Path, name: str, key: str) -> None:
    """Raise UserError unless the folder has safetensors: a pickle can run any code when it is read."""
    if any((folder / weights).is_file() for weights in WEIGHTS):
        return
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise UserError(
            f"{key}: {folder} has its weights only as a pickle ({pickles[0]}), which can run any code and is therefore "
            f"refused: {CONVERT}."
        )
    if not Path(name).expanduser().is_dir():
        raise UserError(
            f"{key}: {name} has no {WEIGHTS[0]}. Either its download broke off: start again. Or the Hugging Face hub "
            "has its weights only as a pickle, which can run any code and is refused: if a pull request of the model "
            f"on the hub has safetensors, set {key} to {name}@refs/pr/NUMBER; else {CONVERT}."
        )
    raise UserError(f"{key}: {folder} has no {WEIGHTS[0]}: copy or download the checkpoint again.")


def _preprocessing(folder: Path, key: str) -> tuple[int, bool]:
    """Sampling rate, and whether waveforms are normalised, from the preprocessor's file or by default."""
    values: Mapping[str, Any] = {}
    if (folder / PREPROCESSOR).is_file():
        values = _read_json(folder / PREPROCESSOR, key)
    elif (folder / PROCESSOR).is_file():
        values = _read_json(folder / PROCESSOR, key).get("feature_extractor", {})
    # The default is transformers': normalise. fairseq did so only for models with layer norm in the CNN (large, XLSR).
    # To models with group norm (base, HuBERT base) it hardly matters: the group norm behind their first convolution
    # removes the scale and the mean of the waveform anyway.
    normalize = bool(values.get("do_normalize", True))
    rate = int(values.get("sampling_rate", DEFAULT_RATE_HZ))
    if not values:
        log.info("%s has no %s: normalised waveforms of %d Hz are assumed", folder, PREPROCESSOR, rate)
    return rate, normalize


def _read_model(folder: Path, model_type: str, key: str) -> PreTrainedModel:
    """Load the base encoder, float32. Raises UserError for weights that are damaged, missing or of other shapes.

    transformers renames the weights of models with a head and those of older weight norms, and chooses an attention
    implementation that takes padding masks (torch's; for WavLM its own).
    """
    again = "copy or download the checkpoint again"
    try:
        with _quiet():
            model, loaded = transformers.AutoModel.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # an error below, which names them
            )
    except (SafetensorError, OSError) as error:
        raise UserError(f"{key}: the weights in {folder} are damaged or cut off ({error}): {again}.") from error
    except (StrictDataclassError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{key}: {folder / CONFIG} describes no {model_type} model ({reason}): {again}.") from error
    mismatched = {name for name, *_ in loaded["mismatched_keys"]}
    problems = {
        "are missing": set(loaded["missing_keys"]) - NOT_NEEDED,
        "have other shapes than its config.json says": mismatched - NOT_NEEDED,
    }
    for problem, names in problems.items():
        if names:
            raise UserError(
                f"{key}: {len(names)} weights of the encoder in {folder} {problem} (such as {min(names)}): {again}."
            )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn off transformers' progress bars and its warnings about the weights of a head, which is left out."""
    logging_of = transformers.utils.logging
    verbosity, bars = logging_of.get_verbosity(), logging_of.is_progress_bar_enabled()
    logging_of.set_verbosity_error()
    logging_of.disable_progress_bar()
    try:
        yield
    finally:
        logging_of.set_verbosity(verbosity)
        if bars:
            logging_of.enable_progress_bar()
