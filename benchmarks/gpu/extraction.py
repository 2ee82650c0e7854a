"""Time the extraction of learned features in × real time: one utterance at a time, and in batches of several sizes.

Reuses benchmarks/features.py. On a GPU the package computes matrix products in half precision (float16).
"""

import statistics
import sys
from collections.abc import Iterator

import numpy as np
import torch
from features import RATE, measure, random_checkpoint, synthesise
from step import ROOT, Figure, Step, read_arguments, rounded

from unscribed.devices import device_of
from unscribed.ssl.checkpoint import Checkpoint

LAYER = 8
MEDIAN_SECONDS = 4.0  # of an utterance, as in read speech
BATCH_SECONDS = (60, 300, 600, 1200, 2400)
REPEATS = 3
FEW, MOST = 8, 2000  # utterances: of the first measurement, and at most


def utterances_in(seconds: float, one: float) -> int:
    """How many utterances can be measured one by one in `seconds`, if each takes `one` seconds."""
    return max(FEW, min(MOST, int(seconds / (one * REPEATS))))


def seconds_of(checkpoint: Checkpoint, waves: list[np.ndarray], layer: int, batch_seconds: float) -> float:
    """Time the frames of `waves`, the median over repeats; 0 seconds per batch: one by one."""
    return statistics.median(measure(checkpoint, waves, layer, batch_seconds) for _ in range(REPEATS))


def batched(
    step: Step, checkpoint: Checkpoint, waves: list[np.ndarray], layer: int
) -> Iterator[tuple[int, float | str]]:
    """Yield each size of batch with the seconds that it takes, or with the reason why it was left out."""
    spent = 0.0
    for batch_seconds in BATCH_SECONDS[:1] if step.rehearse else BATCH_SECONDS:
        if spent and step.left() < 2 * REPEATS * spent:
            yield batch_seconds, "left out: no time"
            continue
        try:
            measure(checkpoint, waves, layer, batch_seconds)  # allocates
            spent = seconds_of(checkpoint, waves, layer, batch_seconds)
        except RuntimeError as error:  # the memory is full, or a tensor has more values than a kernel can count
            yield batch_seconds, f"left out: {str(error).splitlines()[0]}"
            torch.cuda.empty_cache()
        else:
            yield batch_seconds, spent


def main() -> None:
    """Measure one by one, then each size of batch while time is left; fail if not even one size was measured."""
    step = read_arguments(__doc__)
    device = device_of(step.device.type, "--device")
    checkpoint = random_checkpoint(ROOT / f"config/models/{'tiny' if step.rehearse else 'base'}.yaml", device)
    layer, median = min(LAYER, checkpoint.layers), 0.5 if step.rehearse else MEDIAN_SECONDS
    few = synthesise(FEW, median)
    measure(checkpoint, few, layer, 0.0)  # warms up
    one = measure(checkpoint, few, layer, 0.0) / len(few)
    waves = synthesise(FEW if step.rehearse else utterances_in(0.3 * step.left(), one), median)
    audio = sum(map(len, waves)) / RATE
    alone = seconds_of(checkpoint, waves, layer, 0.0)
    figures: dict[str, Figure] = {
        "model": checkpoint.name,
        "layer": layer,
        "utterances": len(waves),
        "audio_seconds": round(audio),
        "one_by_one_x_real_time": rounded(audio / alone),
    }
    best = float("inf")
    for batch_seconds, spent in batched(step, checkpoint, waves, layer):
        found = isinstance(spent, float)
        figures[f"batches_of_{batch_seconds}_s_x_real_time"] = rounded(audio / spent) if found else spent
        best = min(best, spent) if found else best
        step.write(figures)
    if best == float("inf"):
        sys.exit("no size of batch could be measured.")
    step.write(figures | {"batched_x_one_by_one": rounded(alone / best)})


if __name__ == "__main__":
    main()
