"""Time k-means as the package runs it: on the CPU, and on the GPU where faiss has one (faiss-gpu)."""

import time
from unittest.mock import patch

import faiss
import numpy as np
from step import Figure, read_arguments, rounded

from unscribed import clustering
from unscribed.clustering import KmeansSettings, cluster

DIMS, CLUSTERS, ITERATIONS = 768, 500, 10  # of HuBERT's second iteration, on frames of base
FEW, MOST = 20_000, 1_000_000  # frames: of the first measurement, and at most (3 GB)
SHARE = 0.25  # of the time for clustering on the CPU: drawing the frames and the GPU need the rest


def seconds_of(frames: int, settings: KmeansSettings, dims: int, gpus: int) -> float:
    """Time the clustering of random frames; 0 GPUs: on the CPU."""
    drawn = np.random.default_rng(0).standard_normal((frames, dims), dtype=np.float32)
    with patch.object(clustering.faiss, "get_num_gpus", return_value=gpus):
        started = time.perf_counter()
        cluster(drawn, settings, seed=0)
        return time.perf_counter() - started


def main() -> None:
    """Measure with few frames, then with as many as fit into the time, and write frames × iterations per second."""
    step = read_arguments(__doc__)
    dims, clusters, few = (20, 50, 5_000) if step.rehearse else (DIMS, CLUSTERS, FEW)
    settings = KmeansSettings(clusters=clusters, iterations=ITERATIONS, restarts=1, max_frames=MOST)
    devices = {"cpu": 0, "gpu": faiss.get_num_gpus()}
    figures: dict[str, Figure] = {"dims": dims, "clusters": clusters, "iterations": ITERATIONS}
    if not devices["gpu"]:
        del devices["gpu"]
        figures["gpu"] = "left out: this faiss has no GPU (faiss-cpu, or no GPU that it can use)"
    seconds_of(few, settings, dims, 0)  # warms up
    first = seconds_of(few, settings, dims, 0)
    count = few if step.rehearse else max(few, min(MOST, int(few * SHARE * step.left() / first)))
    figures["frames"] = count
    for name, gpus in devices.items():
        spent = seconds_of(count, settings, dims, gpus)
        figures[f"{name}_seconds"] = rounded(spent)
        figures[f"{name}_frames_per_s"] = rounded(count * ITERATIONS / spent)
        step.write(figures)
    if "gpu" in devices:
        figures["gpu_x_cpu"] = rounded(figures["cpu_seconds"] / figures["gpu_seconds"])
        step.write(figures)


if __name__ == "__main__":
    main()
