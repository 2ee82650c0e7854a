"""How many frames are trained on. What training learns is in test_self_training.py."""

import pytest

from unscribed.hmm.train import most_frames


@pytest.mark.parametrize(
    ("max_memory_mb", "dims", "expected"),
    [
        (2000, 512, 811_068),  # 1,700 MB of 4 x 512 + 48 bytes
        (2000, 40, 8_173_076),  # of 208 bytes: 22.7 h every 10 ms
        (400, 1012, 24_414),  # 100 MB of 4,096 bytes
    ],
)
def test_memory_bounds_the_frames(max_memory_mb: int, dims: int, expected: int) -> None:
    assert most_frames(max_memory_mb, dims) == expected
