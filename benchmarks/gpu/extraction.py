"""Time the extraction of learned features in × real time: one utterance at a time, and in batches of several sizes.

Reuses benchmarks/features.py. On a GPU the package computes matrix products in half precision (float16).
"""

import sys

import torch
from features import RATE, measure, random_checkpoint, synthesise
from step import ROOT, Figure, Step, read_arguments, rounded

from unscribed.devices import device_of

LAYER = 8
MEDIAN_SECONDS = 4.0  # of an utterance, as in read speech
BATCH_SECONDS = (60, 300, 600, 1200, 2400)
REPEATS = 3
FEW, MOST = 8, 2000  # utterances: of the first measurement, and at most


def utterances_in(seconds: float, one: float, ways: int) -> int:
    """How many utterances can be measured in all ways in `seconds`, if one by one each takes `one` seconds."""
    return max(FEW, min(MOST, int(seconds / (one * ways * REPEATS))))


def main() -> None:
    """Measure one by one, then each size of batch while time is left; fail if not even one size was measured."""
    step = read_arguments(__doc__)
    device = device_of(step.device.type, "--device")
    checkpoint = random_checkpoint(ROOT / f"config/models/{'tiny' if step.rehearse else 'base'}.yaml", device)
    layer = min(LAYER, checkpoint.layers)
    sizes = BATCH_SECONDS[:1] if step.rehearse else BATCH_SECONDS
    few = synthesise(FEW, MEDIAN_SECONDS)
    for batch_seconds in (0.0, sizes[0]):
        measure(checkpoint, few, layer, batch_seconds)  # warms up
    one = measure(checkpoint, few, layer, 0.0) / len(few)
    count = FEW if step.rehearse else utterances_in(0.6 * step.left(), one, 2)  # batches: together about as long
    waves = synthesise(count, MEDIAN_SECONDS)
    audio = sum(map(len, waves)) / RATE
    alone = min(measure(checkpoint, waves, layer, 0.0) for _ in range(REPEATS))
    figures: dict[str, Figure] = {
        "model": checkpoint.name,
        "layer": layer,
        "utterances": count,
        "audio_seconds": round(audio),
        "one_by_one_x_real_time": rounded(audio / alone),
    }
    batched = measure_batches(step, checkpoint, waves, layer, sizes, figures, audio)
    if not batched:
        sys.exit("no time was left for batches.")
    figures["batched_x_one_by_one"] = rounded(alone / min(batched))
    step.write(figures)


def measure_batches(
    step: Step, checkpoint, waves: list, layer: int, sizes: tuple[int, ...], figures: dict[str, Figure], audio: float
) -> list[float]:
    """Measure each size of batch; add its speed to `figures` and return the seconds of all."""
    found: list[float] = []
    for batch_seconds in sizes:
        key = f"batches_of_{batch_seconds}_s_x_real_time"
        if found and step.left() < 2 * REPEATS * found[-1]:
            figures[key] = "left out: no time"
            continue
        try:
            measure(checkpoint, waves, layer, batch_seconds)  # allocates
            spent = min(measure(checkpoint, waves, layer, batch_seconds) for _ in range(REPEATS))
        except torch.OutOfMemoryError:
            figures[key] = "left out: the memory of the GPU is full"
            torch.cuda.empty_cache()
        else:
            found.append(spent)
            figures[key] = rounded(audio / spent)
        step.write(figures)
    return found


if __name__ == "__main__":
    main()
