"""Where models run, and what is said when there is no such device or its memory is full."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from unscribed.errors import UserError

OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # as torch says it on CPUs


def device_of(device: str, key: str) -> torch.device:
    """The device called `device` (cpu or cuda). Raises UserError, which names the config `key`, without a GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"{key} is cuda, but this machine has no GPU that torch can use: set {key}: cpu.")
    # TF32 on GPUs: products of a tenth of a per cent's precision, several times as fast; CPUs know no such thing
    torch.set_float32_matmul_precision("high" if device == "cuda" else "highest")
    return torch.device(device)


@contextmanager
def out_of_memory(key_to_lower: str, value: float) -> Iterator[None]:
    """Turn the errors of a full memory, of GPU or machine, into a UserError that says which setting to lower."""
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
