"""The files of a checkpoint in the layout of Hugging Face: found in a folder or on the hub, and checked."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

from unscribed.errors import UserError

log = logging.getLogger(__name__)

MODEL_TYPES = ("wav2vec2", "hubert", "wavlm")  # XLSR, XLS-R and MMS are wav2vec2
DEFAULT_RATE_HZ = 16000  # for checkpoints without a preprocessor file: what wav2vec 2.0 and transformers assume
CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")  # one file, or the index of several
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")  # only looked for to explain why they are refused
PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"  # newer transformers write the preprocessor into this file
WANTED = [CONFIG, PREPROCESSOR, PROCESSOR, "model*.safetensors", "model.safetensors.index.json"]  # to be downloaded
CONVERT = (
    "convert it with transformers (`AutoModel.from_pretrained(SOURCE).save_pretrained(FOLDER)`) on a machine where you "
    "trust its source, and name that folder"
)


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


def _read_json(path: Path, key: str) -> dict[str, Any]:
    """Read a JSON object. Raises UserError if the file is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{key}: {path} is damaged ({error}): copy or download the checkpoint again.") from error
    if not isinstance(values, dict):
        raise UserError(f"{key}: {path} is damaged (no JSON object): copy or download the checkpoint again.")
    return values


def read_config(folder: Path, key: str) -> dict[str, Any]:
    """Read its config.json. Raises UserError unless it describes a model of MODEL_TYPES."""
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


def check_weights(folder: Path, name: str, key: str) -> None:
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


def preprocessing(folder: Path, key: str) -> tuple[int, bool]:
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
