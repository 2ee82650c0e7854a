"""Token-passing beam search over a decoding graph, with the lattice of near-best paths, compiled by numba.

The algorithm of Kaldi's lattice-faster decoder (Povey et al. 2012, "Generating exact lattices in the WFST framework",
§2), but a link is dropped at once when it is worse than the lattice beam at its own end, so that memory grows with the
lattice and not with the search. Costs are negative log probabilities.
Dimensions: T frames, I input labels, K tokens, L links.
"""

import numba
import numpy as np

from unscribed.wfst.graph import Graph
from unscribed.wfst.lattice import INFINITE, Lattice, prune


def search(graph: Graph, scores: np.ndarray, beam: float, max_active: int, lattice_beam: float) -> Lattice | None:
    """Find the best paths of `graph` for `scores` (T, I + 1), log likelihoods by input label; None if no path ends.

    Tokens more than `beam` worse than the best of their frame, or beyond the `max_active` best, are not extended.
    Raises ValueError if a score is not finite.
    """
    if not np.isfinite(scores[:, 1:]).all():
        raise ValueError("acoustic scores are not finite")
    found = _search(
        (graph.first, graph.emitting, graph.inputs, graph.costs, graph.targets),
        graph.outputs,
        graph.final,
        np.ascontiguousarray(scores, dtype=np.float32),
        np.float32(beam),
        max_active,
        np.float32(lattice_beam),
    )
    *links, costs, finals, best = found
    return Lattice(*links, np.where(finals < INFINITE, finals, np.inf), best, float(costs)) if len(best) else None


@numba.njit(cache=True, nogil=True)
def _grow(array):  # type: ignore[no-untyped-def]
    larger = np.empty(2 * len(array), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


@numba.njit(cache=True, nogil=True)
def _cutoff(costs, count, beam, max_active):  # type: ignore[no-untyped-def]
    """Return the highest cost of a token that is still extended."""
    best = costs[:count].min()
    if count > max_active:
        return min(best + beam, np.partition(costs[:count].copy(), max_active)[max_active])
    return best + beam


# Below, `graph` is (first, emitting, inputs, costs, targets); `tokens` is (states, costs so far, how many) of a frame;
# `links` is ((source token, target token, arc), acoustic cost, how many), of all frames. Their arrays may be replaced
# by larger ones, so functions return both. `place` holds each state's position among the tokens of the current frame,
# or -1. Tokens are numbered across frames; `base` is the number of a frame's first token.


@numba.njit(cache=True, nogil=True)
def _search(graph, outputs, final, scores, beam, max_active, lattice_beam):  # type: ignore[no-untyped-def]
    place = np.full(len(final), -1, dtype=np.int32)
    tokens = (np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.float32), 0)
    old = (np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.float32), 0)
    links = (np.empty((4096, 3), dtype=np.int32), np.empty(4096, dtype=np.float32), 0)
    all_totals = np.empty(4096, dtype=np.float32)
    base, old_base = 0, 0
    tokens = _reach(place, tokens, 0, np.float32(0.0))
    for frame in range(len(scores) + 1):
        start = links[2]
        if frame:
            tokens, links = _follow_emitting(
                graph, scores[frame - 1], beam, max_active, lattice_beam, old, old_base, place, tokens, base, links
            )
        if tokens[2] == 0:
            old = (old[0], old[1], 0)  # no path reaches this frame, so tokens of the frame before must not end one
            break
        tokens = _follow_nonemitting(graph, beam, place, tokens)
        links = _nonemitting_links(graph, lattice_beam, place, tokens, base, links)
        links = _compact(links, start, graph[3], old[1], old_base, tokens[1], base, lattice_beam)
        states, totals, count = tokens
        while base + count > len(all_totals):
            all_totals = _grow(all_totals)
        all_totals[base : base + count] = totals[:count]
        for token in range(count):
            place[states[token]] = -1
        tokens, old = (old[0], old[1], 0), tokens
        old_base, base = base, base + count
    ended = np.minimum(final[old[0][: old[2]]], INFINITE)
    return prune(
        links[0][: links[2]],
        links[1][: links[2]],
        all_totals[:base],
        old_base,
        ended,
        graph[2],
        outputs,
        graph[3],
        lattice_beam,
    )


@numba.njit(cache=True, nogil=True)
def _follow_emitting(  # type: ignore[no-untyped-def]
    graph, scores, beam, max_active, lattice_beam, old, old_base, place, tokens, base, links
):
    """Follow the arcs that consume a frame from the best tokens of the frame before."""
    first, emitting, inputs, costs, targets = graph
    old_states, old_totals, old_count = old
    cutoff, lowest = _cutoff(old_totals, old_count, beam, max_active), INFINITE
    for token in range(old_count):
        if old_totals[token] > cutoff:
            continue
        state = old_states[token]
        for arc in range(emitting[state], first[state + 1]):
            acoustic, target = -scores[inputs[arc]], targets[arc]
            total = old_totals[token] + costs[arc] + acoustic
            if total > lowest + beam or (place[target] >= 0 and total > tokens[1][place[target]] + lattice_beam):
                continue
            lowest = min(lowest, total)
            tokens = _reach(place, tokens, target, total)
            links = _link(links, old_base + token, base + place[target], arc, acoustic)
    return tokens, links


@numba.njit(cache=True, nogil=True)
def _reach(place, tokens, state, total):  # type: ignore[no-untyped-def]
    """Give `state` a token with this cost, or lower the cost of the one it has."""
    states, totals, count = tokens
    if place[state] < 0:
        if count == len(states):
            states, totals = _grow(states), _grow(totals)
        place[state], states[count], totals[count] = count, state, total
        count += 1
    elif total < totals[place[state]]:
        totals[place[state]] = total
    return states, totals, count


@numba.njit(cache=True, nogil=True)
def _link(links, source, target, arc, acoustic):  # type: ignore[no-untyped-def]
    numbers, acoustics, count = links
    if count == len(numbers):
        larger = np.empty((2 * count, 3), dtype=np.int32)
        larger[:count] = numbers
        numbers, acoustics = larger, _grow(acoustics)
    numbers[count, 0], numbers[count, 1], numbers[count, 2] = source, target, arc
    acoustics[count] = acoustic
    return numbers, acoustics, count + 1


@numba.njit(cache=True, nogil=True)
def _follow_nonemitting(graph, beam, place, tokens):  # type: ignore[no-untyped-def]
    """Follow the arcs that consume no frame; a token whose cost falls is processed again."""
    first, emitting, _, costs, targets = graph
    cutoff = tokens[1][: tokens[2]].min() + beam
    queue = np.arange(tokens[2]).astype(np.int32)
    waiting = np.ones(tokens[2], dtype=np.bool_)
    head, tail = 0, tokens[2]
    while head < tail:
        token = queue[head]
        head += 1
        waiting[token] = False
        state, so_far = tokens[0][token], tokens[1][token]
        if so_far > cutoff:
            continue
        for arc in range(first[state], emitting[state]):
            total, target = so_far + costs[arc], targets[arc]
            if total > cutoff or (place[target] >= 0 and total >= tokens[1][place[target]]):
                continue
            tokens = _reach(place, tokens, target, total)
            reached = place[target]
            if reached == len(waiting):
                waiting = _grow(waiting)
                waiting[reached:] = False
            if not waiting[reached]:
                waiting[reached] = True
                if tail == len(queue):
                    queue = _grow(queue)
                queue[tail] = reached
                tail += 1
    return tokens


@numba.njit(cache=True, nogil=True)
def _nonemitting_links(graph, lattice_beam, place, tokens, base, links):  # type: ignore[no-untyped-def]
    """Add one link for each arc that consumes no frame, once `_follow_nonemitting` has settled the tokens' costs."""
    first, emitting, _, costs, targets = graph
    states, totals, count = tokens
    for token in range(count):
        for arc in range(first[states[token]], emitting[states[token]]):
            reached = place[targets[arc]]
            if reached >= 0 and totals[token] + costs[arc] <= totals[reached] + lattice_beam:
                links = _link(links, base + token, base + reached, arc, np.float32(0.0))
    return links


@numba.njit(cache=True, nogil=True)
def _compact(links, start, costs, old_totals, old_base, totals, base, lattice_beam):  # type: ignore[no-untyped-def]
    """Drop the links from `start` on that are worse than the lattice beam at their own end."""
    numbers, acoustics, count = links
    kept = start
    for link in range(start, count):
        source, target, arc = numbers[link]
        before = old_totals[source - old_base] if source < base else totals[source - base]
        if before + costs[arc] + acoustics[link] <= totals[target - base] + lattice_beam:
            numbers[kept], acoustics[kept] = numbers[link], acoustics[link]
            kept += 1
    return numbers, acoustics, kept
