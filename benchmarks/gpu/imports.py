"""Import all that later steps need, and say what the machine is: what is missing shows in the first minute."""

import importlib
import importlib.metadata
import os
import pkgutil
import platform
import sys

import torch
from step import Figure, read_arguments, rounded

import unscribed

ELSEWHERE = ("unscribed.plan",)  # the rules' side of the workflow: needs Snakemake
NAMED = ("torch", "torchaudio", "transformers", "accelerate", "numpy", "onnxruntime", "faiss-cpu", "faiss-gpu-cu12")


def failing() -> dict[str, str]:
    """Import every module of the package; return those that cannot be, with the reason."""
    found = {}
    for module in pkgutil.walk_packages(unscribed.__path__, "unscribed."):
        if module.name.startswith(ELSEWHERE):
            continue
        try:
            importlib.import_module(module.name)
        except Exception as error:  # whatever a module of another version raises
            found[module.name] = f"{type(error).__name__}: {error}"
    return found


def about(device: torch.device) -> dict[str, Figure]:
    """Names, sizes and versions of this machine."""
    found: dict[str, Figure] = {"cores": os.cpu_count() or 0, "python": platform.python_version()}
    if device.type == "cuda":
        found |= {
            "gpu": torch.cuda.get_device_name(),
            "gpu_gib": rounded(torch.cuda.get_device_properties(0).total_memory / 2**30),
            "cuda": str(torch.version.cuda),
        }
    for name in NAMED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def main() -> None:
    """Import everything and write what was found; fail if a module cannot be imported."""
    step = read_arguments(__doc__)
    missing = failing()
    step.write({**about(step.device), "modules_failing": len(missing)})
    for name, reason in missing.items():
        print(f"{name}: {reason}", file=sys.stderr)
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
