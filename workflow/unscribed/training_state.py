"""The state from which a killed training resumes: tensors and progress in one safetensors file.

A fingerprint of settings and data tells whether the file belongs to the training. The state of random generators is not
saved: trainings draw every random number from their seed and the number of the update.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from unscribed.artifacts import Pathlike, atomic_path

log = logging.getLogger(__name__)

ADAM = ("step", "exp_avg", "exp_avg_sq")  # the keys of torch's Adam: number of updates, first and second moment


def fingerprint(*about: Any) -> str:
    """Return a hash of JSON values that must be the same in the killed job and in the one that resumes it."""
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def save_state(path: Pathlike, tensors: Mapping[str, torch.Tensor], mark: str, progress: Mapping[str, Any]) -> None:
    """Write a state atomically; `mark` is its fingerprint, `progress` JSON values.

    Raises UserError if it cannot be written.
    """
    metadata = {"fingerprint": mark, "progress": json.dumps(progress)}
    with atomic_path(path) as temporary:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, temporary, metadata)


def load_state(path: Pathlike, mark: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Read the tensors and the progress at `path`; return None if there is no file.

    A damaged file, or one of another fingerprint than `mark`, gives None and a line in the log.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            if metadata["fingerprint"] != mark:
                log.info("%s belongs to other settings or data: training starts from the beginning", path)
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is not iterable)
            return tensors, json.loads(metadata["progress"])
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("%s is damaged (%s): training starts from the beginning", path, error)
        return None


def adam_tensors(optimizer: Any, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return Adam's numbers of updates and moments for named weights; weights without an update have none."""
    return {
        f"{key}.{name}": value
        for name, weight in weights.items()
        for key, value in optimizer.state.get(weight, {}).items()
    }


def restore_adam(optimizer: Any, weights: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor]) -> None:
    """Restore what `adam_tensors` returned."""
    for name, weight in weights.items():
        found = {key: tensors[f"{key}.{name}"] for key in ADAM if f"{key}.{name}" in tensors}
        if found:
            optimizer.state[weight] = {key: part if key == "step" else part.to(weight) for key, part in found.items()}
