import numpy as np
import pytest

from unscribed.segmentation.merge import merge_order, merged_edges


def _naive(frames: np.ndarray, edges: np.ndarray) -> tuple[list[int], list[float]]:
    """Look at every pair of neighbours before every merge, with means of their frames."""
    left, removed, costs = list(edges), [], []

    def error(part: np.ndarray) -> float:
        return float(((part - part.mean(axis=0)) ** 2).sum())

    while len(left) > 2:
        growth = [
            error(frames[left[place - 1] : left[place + 1]])
            - error(frames[left[place - 1] : left[place]])
            - error(frames[left[place] : left[place + 1]])
            for place in range(1, len(left) - 1)
        ]
        best = int(np.argmin(growth))
        costs.append(growth[best])
        removed.append(list(edges).index(left.pop(best + 1)))
    return removed, costs


def test_merges_by_hand() -> None:
    frames = np.array([[0.0], [0.0], [1.0], [1.0], [5.0], [5.5]])
    edges = np.array([0, 2, 4, 5, 6])
    # 0.5 · 0.25 between the last two; 1 · 1 between the first two; then 4 · 2 / 6 · (5.25 - 0.5)²
    removed, costs = merge_order(frames, edges)
    assert removed.tolist() == [3, 1, 2]
    assert costs == pytest.approx([0.125, 1.0, 8 / 6 * 4.75**2])
    assert merged_edges(frames, edges, 0.1).tolist() == [0, 2, 4, 5, 6]
    assert merged_edges(frames, edges, 0.125).tolist() == [0, 2, 4, 6]
    assert merged_edges(frames, edges, 1.0).tolist() == [0, 4, 6]
    assert merged_edges(frames, edges, np.inf).tolist() == [0, 6]


def test_a_cheap_merge_after_a_dear_one_waits_for_it() -> None:
    """Between 0 and 2 lies 1, so that the two come closer by a merge with it: costs may fall."""
    frames = np.array([[0.0], [0.0], [0.0], [2.0], [1.0], [1.0], [1.0], [1.0], [0.9]])
    removed, costs = merge_order(frames, np.array([0, 3, 4, 8, 9]))
    assert (np.diff(costs) >= 0).all() and sorted(removed.tolist()) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_the_heap_does_what_the_naive_loop_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 6, 40)
    frames = rng.normal(size=(lengths.sum(), 3))
    edges = np.concatenate([[0], np.cumsum(lengths)])
    removed, costs = merge_order(frames, edges)
    wanted, growth = _naive(frames, edges)
    assert removed.tolist() == wanted
    np.testing.assert_allclose(costs, np.maximum.accumulate(growth), rtol=1e-9)
    np.testing.assert_array_equal(merge_order(frames, edges)[0], removed)


def test_of_equal_costs_the_earlier_goes_first_and_one_segment_stays() -> None:
    removed, costs = merge_order(np.zeros((6, 2), dtype=np.float32), np.arange(7))
    assert removed.tolist() == [1, 2, 3, 4, 5] and not costs.any()
    removed, costs = merge_order(np.ones((4, 2)), np.array([0, 4]))
    assert not len(removed) and not len(costs)
    assert merged_edges(np.ones((4, 2)), np.array([0, 4]), 9.0).tolist() == [0, 4]
