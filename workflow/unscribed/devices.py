"""The device that models run on, and clear errors when it is absent or its memory is full."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from unscribed.errors import UserError

OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # in torch's messages on CPUs


def device_of(device: str, key: str) -> torch.device:
    """Return the device `device` (cpu or cuda). Raises UserError, naming the parameter `key`, for cuda without GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"{key} is cuda, but this machine has no GPU that torch can use: set {key}: cpu.")
    # TF32 on GPUs: products exact to about 0.1 %, several times as fast; no effect on CPUs
    torch.set_float32_matmul_precision("high" if device == "cuda" else "highest")
    return torch.device(device)


@contextmanager
def out_of_memory(key_to_lower: str, value: float) -> Iterator[None]:
    """Turn errors about full memory, of GPU or machine, into a UserError that names the parameter to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if type(error) is RuntimeError and not any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise
        where = "GPU" if isinstance(error, torch.OutOfMemoryError) else "machine"
        raise UserError(
            f"the memory of the {where} is full: lower {key_to_lower}, which is {value:g} (half of it is a good next "
            "try); finished work is kept."
        ) from error
