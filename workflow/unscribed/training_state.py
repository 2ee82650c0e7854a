"""What a killed training goes on from: tensors and progress in a safetensors file, with a mark of what it belongs to.

Chance is no part of it: trainings draw everything from their seed and the number of the update.
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

ADAM = ("step", "exp_avg", "exp_avg_sq")


def fingerprint(*about: Any) -> str:
    """A mark of JSON values that must not have changed between a killed job and its continuation."""
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def save_state(path: Pathlike, tensors: Mapping[str, torch.Tensor], mark: str, progress: Mapping[str, Any]) -> None:
    """Write a state atomically; `progress` are JSON values. Raises UserError if it cannot be written."""
    metadata = {"fingerprint": mark, "progress": json.dumps(progress)}
    with atomic_path(path) as temporary:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, temporary, metadata)


def load_state(path: Pathlike, mark: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Tensors and progress of the state at `path`; None, and a line in the log, if it is damaged or of another mark."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            if metadata["fingerprint"] != mark:
                log.info("%s belongs to other settings or data: training starts anew", path)
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is no mapping)
            return tensors, json.loads(metadata["progress"])
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("%s is damaged (%s): training starts anew", path, error)
        return None


def adam_tensors(optimizer: Any, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Steps and moments of Adam for named weights; those that have not learned yet have none."""
    return {
        f"{key}.{name}": value
        for name, weight in weights.items()
        for key, value in optimizer.state.get(weight, {}).items()
    }


def restore_adam(optimizer: Any, weights: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor]) -> None:
    """Put back what `adam_tensors` gave."""
    for name, weight in weights.items():
        found = {key: tensors[f"{key}.{name}"] for key in ADAM if f"{key}.{name}" in tensors}
        if found:
            optimizer.state[weight] = {key: part if key == "step" else part.to(weight) for key, part in found.items()}
