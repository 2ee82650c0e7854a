"""Time many GANs at once on the GPU against one run, and one run against a plain implementation (benchmarks/gan.py)."""

import sys
import time

import numpy as np
import torch
from gan import ONE, PLAIN, SIZES, SMALL, TOLERANCE, Size, compare, measure
from step import Figure, Step, read_arguments, rounded

AT_ONCE = (16, 64)
REPEATS = 3
MOST_UPDATES = 200  # per measurement: more only repeat what is known


def updates_in(seconds: float, two_updates: float) -> int:
    """The even number of updates per measurement that fit into `seconds`, if two of all variants take `two_updates`."""
    pairs = int((seconds / two_updates - 1) / REPEATS)  # one pair of each variant is the warm-up
    return max(0, min(MOST_UPDATES, 2 * pairs))


def measure_runs(size: Size, runs: int, step: Step, seconds: float) -> dict[str, list[float]]:
    """Measure plain, one run and `runs` at once in about `seconds`; nothing if that is not enough."""
    ends, device = time.monotonic() + seconds, step.device
    speeds = measure(size, [], 2, 1, device)
    slowest = 2 / speeds[PLAIN][0] + (1 + runs) * 2 / speeds[ONE][0]  # as if many at once gained nothing
    if not step.rehearse and 2 * slowest > ends - time.monotonic():
        return {}
    started = time.monotonic()
    once = measure(size, [runs], 2, 1, device)
    two = (time.monotonic() - started) / 2  # half was for the warm-up
    count = 2 if step.rehearse else updates_in(ends - time.monotonic(), two)
    return measure(size, [runs], count, REPEATS, device) if count else once


def figures_of(speeds: dict[str, list[float]], runs: int) -> dict[str, Figure]:
    """Updates/s of all runs together, medians over repeats, and ratios: median and lowest."""
    many = f"{runs} runs"
    found: dict[str, Figure] = {"repeats": len(speeds[many])}
    for label, key in ((PLAIN, "plain"), (ONE, "1_run"), (many, "together")):
        found[f"{key}_updates_per_s"] = rounded(np.median(speeds[label]))
    for label, base, key in ((ONE, PLAIN, "1_run_x_plain"), (many, ONE, "x_1_run"), (many, PLAIN, "x_plain")):
        ratios = np.divide(speeds[label], speeds[base])
        found |= {key: rounded(np.median(ratios)), f"{key}_lowest": rounded(ratios.min())}
    return found


def main() -> None:
    """Compare the losses of both implementations, measure all sizes and numbers of runs, fail if the losses differ."""
    step = read_arguments(__doc__)
    torch.backends.cudnn.allow_tf32 = False  # the same arithmetic for both
    worst = max(abs(ours / plain - 1) for ours, plain in compare(SMALL, step.device).values())
    figures: dict[str, Figure] = {"losses_differ_by": rounded(worst)}
    sizes, at_once = ({"small": SMALL}, AT_ONCE[:1]) if step.rehearse else (SIZES, AT_ONCE)
    names = sorted(sizes, key=lambda name: sizes[name].batch)  # the quick one first
    todo = [(name, runs) for runs in at_once for name in names]
    for done, (name, runs) in enumerate(todo):
        speeds = measure_runs(sizes[name], runs, step, step.left() / (len(todo) - done))
        found = figures_of(speeds, runs) if speeds else {"left_out": "too slow for the time of this step"}
        figures |= {f"{name}_{runs}_runs_{key}": value for key, value in found.items()}
        step.write(figures)
    if worst > TOLERANCE:
        sys.exit(f"the losses differ by {worst:.1e}: speeds of different algorithms are not comparable.")


if __name__ == "__main__":
    main()
