"""Merge neighbouring segments bottom-up by Ward's criterion: always the two whose frames' squared error grows least.

Dimensions: T frames, D features, S segments. Boundary s lies between segments s - 1 and s.
"""

import heapq

import numba
import numpy as np


def merge_order(frames: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge the segments of `frames` (T, D) between `edges` (S + 1,) until one is left, in O(S log S) steps.

    Returns the removed boundaries in their order, (S - 1,), and for each the highest cost so far, (S - 1,): merges that
    follow a dearer one are allowed by whatever allowed that one. The cost of a merge of n and m frames is
    n m / (n + m) times the squared distance of their means. Of equal costs the earlier boundary goes first.
    """
    sums = np.add.reduceat(np.asarray(frames, dtype=np.float64), edges[:-1], axis=0)
    removed, costs = _merge(sums, np.diff(edges).astype(np.float64))
    return removed, np.maximum.accumulate(costs)


def merged_edges(frames: np.ndarray, edges: np.ndarray, threshold: float) -> np.ndarray:
    """Return the edges that are left when all merges of a cost of at most `threshold` are made."""
    removed, costs = merge_order(frames, edges)
    return np.delete(edges, removed[costs <= threshold])


@numba.njit(cache=True)
def _merge(sums, lengths):  # type: ignore[no-untyped-def]
    """Merge with a heap of costs; a segment is known by its first run, and an outdated cost by its version."""
    count = len(lengths)
    before, after = np.arange(count) - 1, np.arange(count) + 1
    versions = np.zeros(count, dtype=np.int64)
    heap = [(_cost(sums, lengths, boundary - 1, boundary), boundary, 0) for boundary in range(1, count)]
    heapq.heapify(heap)
    removed, costs = np.empty(max(count - 1, 0), dtype=np.int64), np.empty(max(count - 1, 0))
    for step in range(count - 1):
        cost, boundary, version = heapq.heappop(heap)
        while version != versions[boundary]:
            cost, boundary, version = heapq.heappop(heap)
        removed[step], costs[step] = boundary, cost
        versions[boundary] = -1
        left, right = before[boundary], after[boundary]
        sums[left] += sums[boundary]
        lengths[left] += lengths[boundary]
        after[left] = right
        if right < count:
            before[right] = left
            versions[right] += 1
            heapq.heappush(heap, (_cost(sums, lengths, left, right), right, versions[right]))
        if left > 0:
            versions[left] += 1
            heapq.heappush(heap, (_cost(sums, lengths, before[left], left), left, versions[left]))
    return removed, costs


@numba.njit(cache=True)
def _cost(sums, lengths, left, right):  # type: ignore[no-untyped-def]
    distance = 0.0
    for dim in range(sums.shape[1]):
        difference = sums[left, dim] / lengths[left] - sums[right, dim] / lengths[right]
        distance += difference * difference
    return distance * lengths[left] * lengths[right] / (lengths[left] + lengths[right])
