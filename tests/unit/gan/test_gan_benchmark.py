import importlib.util
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).parents[3] / "benchmarks/gan.py"


def test_benchmark_compares_equals() -> None:
    specification = importlib.util.spec_from_file_location("benchmark_gan", BENCHMARK)
    benchmark = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(benchmark)
    found = benchmark.compare(benchmark.SMALL, torch.device("cpu"))
    assert {"discriminator_fake.0", "discriminator_real.0", "gradient_penalty.0", "generator.5"} < found.keys()
    for name, (ours, plain) in found.items():
        assert ours == pytest.approx(plain, rel=benchmark.TOLERANCE), name
