"""Token-passing beam search over a decoding graph, with the lattice of near-best paths, compiled by numba.

The algorithm of Kaldi's lattice-faster decoder (Povey et al. 2012, "Generating exact lattices in the WFST framework",
§2), but a link is dropped at once when it is worse than the lattice beam at its own end, so that memory grows with the
lattice and not with the search. Costs are negative log probabilities.
Dimensions: T frames, I transition ids, K tokens, L links.
"""

from dataclasses import dataclass

import numba
import numpy as np

from unscribed.decoding.graph import Graph

INFINITE = np.float32(1e30)


@dataclass(frozen=True)
class Lattice:
    """Links between tokens of the search that lie on a path within the lattice beam of the best one.

    `sources`, `targets` (L,): tokens, numbered in time order from the start token 0; `inputs` (L,): transition id or
    0; `outputs` (L,): word or 0; `graph_costs`, `acoustic_costs` (L,); `finals` (K,): cost of ending in a token, inf
    where none may; `best` (L',): the links of the best path, in order; `cost`: of the best path.
    """

    sources: np.ndarray
    targets: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    graph_costs: np.ndarray
    acoustic_costs: np.ndarray
    finals: np.ndarray
    best: np.ndarray
    cost: float

    def alignment(self) -> np.ndarray:
        """Transition id of every frame on the best path, (T,)."""
        labels = self.inputs[self.best]
        return labels[labels > 0]

    def symbols(self) -> np.ndarray:
        """Words (or phones) of the best path."""
        labels = self.outputs[self.best]
        return labels[labels > 0]


def search(graph: Graph, scores: np.ndarray, beam: float, max_active: int, lattice_beam: float) -> Lattice | None:
    """Best paths through `graph` for `scores` (T, I + 1), log likelihoods by transition id; None if no path ends.

    Tokens more than `beam` worse than the best of their frame, or beyond the `max_active` best, are not extended.
    """
    if not np.isfinite(scores[:, 1:]).all():
        raise ValueError("acoustic scores are not finite")
    found = _search(
        graph.first,
        graph.emitting,
        graph.inputs,
        graph.outputs,
        graph.costs,
        graph.targets,
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
    """The highest cost that is still extended."""
    best = costs[:count].min()
    if count > max_active:
        return min(best + beam, np.partition(costs[:count].copy(), max_active)[max_active])
    return best + beam


@numba.njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    first, emitting, inputs, outputs, costs, targets, final, scores, beam, max_active, lattice_beam
):
    frames, size = len(scores), len(final)
    place = np.full(size, -1, dtype=np.int32)  # of a state's token in the list of this frame
    states, totals = np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.float32)
    old_states, old_totals = np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.float32)
    # Links of all frames: source token, target token, arc, acoustic cost; tokens are numbered through all frames.
    link_from, link_to = np.empty(4096, dtype=np.int32), np.empty(4096, dtype=np.int32)
    link_arc, link_cost = np.empty(4096, dtype=np.int32), np.empty(4096, dtype=np.float32)
    link_count, base, old_base, old_count, count = 0, 0, 0, 0, 1
    states[0], totals[0], place[0] = 0, 0.0, 0
    all_totals = np.empty(4096, dtype=np.float32)
    for frame in range(frames + 1):
        link_start = link_count
        if frame:
            cutoff, next_cutoff = _cutoff(old_totals, old_count, beam, max_active), INFINITE
            for token in range(old_count):
                if old_totals[token] > cutoff:
                    continue
                state = old_states[token]
                for arc in range(emitting[state], first[state + 1]):
                    acoustic = -scores[frame - 1, inputs[arc]]
                    total = old_totals[token] + costs[arc] + acoustic
                    if total > next_cutoff:
                        continue
                    next_cutoff = min(next_cutoff, total + beam)
                    target = targets[arc]
                    if place[target] < 0:
                        if count == len(states):
                            states, totals = _grow(states), _grow(totals)
                        place[target], states[count], totals[count] = count, target, total
                        count += 1
                    elif total < totals[place[target]]:
                        totals[place[target]] = total
                    elif total > totals[place[target]] + lattice_beam:
                        continue
                    if link_count == len(link_arc):
                        link_from, link_to = _grow(link_from), _grow(link_to)
                        link_arc, link_cost = _grow(link_arc), _grow(link_cost)
                    link_from[link_count], link_to[link_count] = old_base + token, base + place[target]
                    link_arc[link_count], link_cost[link_count] = arc, acoustic
                    link_count += 1
        # Arcs that consume no frame: a token that gets better is looked at again.
        if count == 0:
            old_count = 0  # no path reaches this frame: none ends
            break
        cutoff = totals[:count].min() + beam
        queue = np.arange(count).astype(np.int32)
        waiting = np.ones(count, dtype=np.bool_)
        head, tail = 0, count
        while head < tail:
            token = queue[head]
            head += 1
            waiting[token] = False
            state = states[token]
            if totals[token] > cutoff:
                continue
            for arc in range(first[state], emitting[state]):
                total, target = totals[token] + costs[arc], targets[arc]
                if total > cutoff:
                    continue
                if place[target] < 0:
                    if count == len(states):
                        states, totals = _grow(states), _grow(totals)
                    place[target], states[count], totals[count] = count, target, INFINITE
                    count += 1
                    if count > len(waiting):
                        waiting = _grow(waiting)
                        waiting[count - 1 :] = False
                reached = place[target]
                if total < totals[reached]:
                    totals[reached] = total
                    if not waiting[reached]:
                        waiting[reached] = True
                        if tail == len(queue):
                            queue = _grow(queue)
                        queue[tail] = reached
                        tail += 1
        for token in range(count):  # each such link once, with the final costs of its token
            state = states[token]
            for arc in range(first[state], emitting[state]):
                reached = place[targets[arc]]
                if reached >= 0 and totals[token] + costs[arc] <= totals[reached] + lattice_beam:
                    if link_count == len(link_arc):
                        link_from, link_to = _grow(link_from), _grow(link_to)
                        link_arc, link_cost = _grow(link_arc), _grow(link_cost)
                    link_from[link_count], link_to[link_count] = base + token, base + reached
                    link_arc[link_count], link_cost[link_count] = arc, 0.0
                    link_count += 1
        # A link's end may have got better since: what is now worse than the lattice beam goes.
        kept = link_start
        for link in range(link_start, link_count):
            reached = link_to[link] - base
            token = link_from[link]
            before = old_totals[token - old_base] if token < base else totals[token - base]
            if before + costs[link_arc[link]] + link_cost[link] <= totals[reached] + lattice_beam:
                link_from[kept], link_to[kept] = token, link_to[link]
                link_arc[kept], link_cost[kept] = link_arc[link], link_cost[link]
                kept += 1
        link_count = kept
        while base + count > len(all_totals):
            all_totals = _grow(all_totals)
        all_totals[base : base + count] = totals[:count]
        for token in range(count):
            place[states[token]] = -1
        states, old_states = old_states, states
        totals, old_totals = old_totals, totals
        old_base, old_count, base, count = base, count, base + count, 0
    ended = np.full(old_count if base else 0, INFINITE, dtype=np.float32)
    if frame == frames:
        for token in range(old_count):
            ended[token] = min(final[old_states[token]], INFINITE)
    return _prune(
        link_from[:link_count],
        link_to[:link_count],
        link_arc[:link_count],
        link_cost[:link_count],
        all_totals[:base],
        old_base,
        ended,
        inputs,
        outputs,
        costs,
        lattice_beam,
    )


@numba.njit(cache=True, nogil=True)
def _prune(  # type: ignore[no-untyped-def]
    link_from, link_to, link_arc, link_cost, totals, last_base, ended, inputs, outputs, costs, lattice_beam
):
    """Keep the links on paths within the lattice beam; find the best path."""
    tokens = len(totals)
    finals = np.full(tokens, INFINITE, dtype=np.float32)
    best_total, best_token = INFINITE, -1
    for place in range(len(ended)):
        finals[last_base + place] = ended[place]
        if ended[place] < INFINITE and totals[last_base + place] + ended[place] < best_total:
            best_total, best_token = totals[last_base + place] + ended[place], last_base + place
    # How much worse than the best path the best path through a token is.
    extra = np.full(tokens, INFINITE, dtype=np.float32)
    for token in range(last_base, tokens):
        if finals[token] < INFINITE:
            extra[token] = totals[token] + finals[token] - best_total
    changed = best_token >= 0
    while changed:  # again only for links within a frame, whose order is not that of the tokens
        changed = False
        for link in range(len(link_arc) - 1, -1, -1):
            source, target = link_from[link], link_to[link]
            if extra[target] < INFINITE:
                worse = totals[source] + costs[link_arc[link]] + link_cost[link] - totals[target] + extra[target]
                if worse <= lattice_beam and worse < extra[source] - np.float32(1e-3):
                    extra[source] = max(worse, np.float32(0.0))
                    changed = True
    keep = np.zeros(len(link_arc), dtype=np.bool_)
    arriving = np.full(tokens, -1, dtype=np.int64)  # the best link into each token
    slack = np.full(tokens, INFINITE, dtype=np.float32)
    for link in range(len(link_arc)):
        source, target = link_from[link], link_to[link]
        loss = totals[source] + costs[link_arc[link]] + link_cost[link] - totals[target]
        keep[link] = extra[target] < INFINITE and loss + extra[target] <= lattice_beam + np.float32(1e-3)
        if loss < slack[target]:
            slack[target], arriving[target] = loss, link
    path = np.empty(tokens + 1, dtype=np.int64)
    length, token = 0, best_token
    while token > 0:
        link = arriving[token]
        keep[link] = True
        path[length] = link
        length += 1
        token = link_from[link]
    kept = np.flatnonzero(keep)
    number = np.cumsum(keep) - 1
    best = number[path[:length][::-1]]
    arcs = link_arc[kept]
    return (
        link_from[kept],
        link_to[kept],
        inputs[arcs],
        outputs[arcs],
        costs[arcs],
        link_cost[kept],
        best_total,
        finals,
        best,
    )
