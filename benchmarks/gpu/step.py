"""What the steps of the GPU queue share: their command line, the time that is left, and their file of figures.

    python benchmarks/gpu/<step>.py --seconds 60 --work FOLDER --out FILE.json [--rehearse]

A step measures its speed first and takes on only what ends within `--seconds`. It may keep files in the work folder,
where later steps and a repetition find them; what it puts into FOLDER/bring/ comes back with the results. It writes
its figures as flat JSON, as often as it likes, and ends with a status other than 0 and one line on stderr if it fails.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

Figure = str | int | float

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Step:
    """The arguments of a step; `work` and its folder `bring` exist."""

    seconds: float
    work: Path
    out: Path
    rehearse: bool

    @property
    def device(self) -> torch.device:
        """The GPU; the CPU in a rehearsal. Raises SystemExit if there is no GPU."""
        if not self.rehearse and not torch.cuda.is_available():
            raise SystemExit("torch finds no GPU on this machine: run it on another, or with --rehearse.")
        return torch.device("cpu" if self.rehearse else "cuda")

    def left(self) -> float:
        """Seconds until this step should have ended, its imports counted; negative afterwards."""
        return self.seconds - (time.time() - psutil.Process().create_time())

    def write(self, figures: Mapping[str, Figure]) -> None:
        """Write all figures found so far, in place of those written before."""
        temporary = self.out.with_name(f".{self.out.name}.{os.getpid()}")
        temporary.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.out)


def read_arguments(description: str) -> Step:
    """Parse the command line of a step and make its work folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, required=True, help="time in which the step should end")
    parser.add_argument("--work", type=Path, required=True, help="folder for files that outlast the step")
    parser.add_argument("--out", type=Path, required=True, help="figures, JSON")
    parser.add_argument("--rehearse", action="store_true", help="a tiny size on the CPU")
    step = Step(**vars(parser.parse_args()))
    (step.work / "bring").mkdir(parents=True, exist_ok=True)
    return step


def rounded(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")
