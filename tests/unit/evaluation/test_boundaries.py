import numpy as np
import pytest

from unscribed.evaluation.boundaries import BoundaryCounts, match_boundaries


def test_each_boundary_is_used_once() -> None:
    # 0.10 takes 0.11; 0.12 would too, but finds it taken and 0.30 too far; 0.32 hits 0.30 at exactly the tolerance
    counts = match_boundaries([0.11, 0.30, 0.90], [0.10, 0.12, 0.32, 0.70], 0.02)
    assert counts == BoundaryCounts(hits=2, references=3, hypotheses=4)
    assert counts.precision == 0.5
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(4 / 7)


def test_the_nearest_free_boundary_is_taken() -> None:
    assert match_boundaries([0.100, 0.125], [0.120, 0.121], 0.03).hits == 2
    assert match_boundaries([0.100, 0.125], [0.120, 0.150], 0.02).hits == 1
    assert match_boundaries([], [0.1], 0.02) == BoundaryCounts(0, 0, 1)
    assert match_boundaries([0.1], [], 0.02) == BoundaryCounts(0, 1, 0)


def test_counts_add_up_over_utterances() -> None:
    total = BoundaryCounts(1, 2, 3) + BoundaryCounts(4, 5, 6)
    assert total == BoundaryCounts(5, 7, 9)


def test_r_value_by_hand() -> None:
    assert BoundaryCounts(10, 10, 10).r_value == 1
    # recall 0.8, over-segmentation 0: 1 - (0.2 + 0.2 / √2) / 2
    assert BoundaryCounts(8, 10, 10).r_value == pytest.approx(1 - (0.2 + 0.2 / np.sqrt(2)) / 2)
    # recall 1 bought with twice as many boundaries: 1 - (1 + 1 / √2) / 2
    assert BoundaryCounts(10, 10, 20).r_value == pytest.approx(1 - (1 + 1 / np.sqrt(2)) / 2)
    assert np.isnan(BoundaryCounts(0, 0, 5).r_value)
