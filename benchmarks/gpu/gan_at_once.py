"""Time many GANs at once on the GPU against one run, and one run against a plain implementation (benchmarks/gan.py)."""

import sys
import time

import numpy as np
import torch
from gan import ONE, PLAIN, SIZES, SMALL, TOLERANCE, Size, compare, measure
from step import Figure, Step, read_arguments, rounded

AT_ONCE = [16, 64]
REPEATS = 3
MOST_UPDATES = 200  # per measurement: more only repeat what is known


def updates_in(seconds: float, two_updates: float) -> int:
    """The even number of updates per measurement that fit into `seconds`, if two of all variants take `two_updates`."""
    pairs = int(seconds / two_updates - 1) // REPEATS  # one pair of each variant is the warm-up
    return max(0, min(MOST_UPDATES, 2 * pairs))


def measure_size(name: str, size: Size, step: Step, seconds: float) -> dict[str, Figure]:
    """Measure one size in about `seconds`: updates/s of all runs together, and the ratios, medians over repeats."""
    device, most = step.device, AT_ONCE[:1] if step.rehearse else AT_ONCE
    started = time.monotonic()
    measure(size, most, 2, 1, device)  # compiles and allocates
    first = time.monotonic()
    measure(size, most, 2, 1, device)
    two = (time.monotonic() - first) / 2  # half was for the warm-up
    count = 2 if step.rehearse else updates_in(seconds - (time.monotonic() - started), two)
    if not count:
        return {f"{name}_left_out": f"two updates of each variant take {two:.0f} s"}
    speeds = {label: np.array(found) for label, found in measure(size, most, count, REPEATS, device).items()}
    found: dict[str, Figure] = {f"{name}_updates_per_measurement": count}
    for label, key in ((PLAIN, "plain"), (ONE, "1_run"), *((f"{some} runs", f"{some}_runs") for some in most)):
        found[f"{name}_{key}_updates_per_s"] = rounded(np.median(speeds[label]))
        for base, other in ((ONE, "1_run"), (PLAIN, "plain")):
            if key not in ("plain", other):
                ratios = speeds[label] / speeds[base]
                found[f"{name}_{key}_x_{other}"] = rounded(np.median(ratios))
                found[f"{name}_{key}_x_{other}_lowest"] = rounded(ratios.min())
    return found


def main() -> None:
    """Compare the losses of both implementations, measure each size, and fail if the losses differ."""
    step = read_arguments(__doc__)
    torch.backends.cudnn.allow_tf32 = False  # the same arithmetic for both
    worst = max(abs(ours / plain - 1) for ours, plain in compare(SMALL, step.device).values())
    figures: dict[str, Figure] = {"losses_differ_by": rounded(worst)}
    step.write(figures)
    sizes = {"small": SMALL} if step.rehearse else SIZES
    for done, (name, size) in enumerate(sizes.items()):
        figures |= measure_size(name, size, step, step.left() / (len(sizes) - done))
        step.write(figures)
    if worst > TOLERANCE:
        sys.exit(f"the losses differ by {worst:.1e}: speeds of different algorithms are not comparable.")


if __name__ == "__main__":
    main()
