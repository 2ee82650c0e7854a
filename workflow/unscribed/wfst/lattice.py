"""Lattices of near-best paths, and pruning the links of a beam search to them.

Dimensions: T frames, K tokens, L links. Costs are negative log probabilities.
"""

from dataclasses import dataclass

import numba
import numpy as np

INFINITE = np.float32(1e30)  # in place of inf inside compiled code; larger than any cost of a path
TOLERANCE = np.float32(1e-3)  # of sums of float32 costs, so that rounding drops no link on the edge of the beam


@dataclass(frozen=True)
class Lattice:
    """Links between tokens of the search that lie on a path within the lattice beam of the best one.

    `sources`, `targets` (L,): tokens, numbered in time order from the start token 0; `inputs` (L,): the graph's label
    of a frame or 0; `outputs` (L,): word or 0; `graph_costs`, `acoustic_costs` (L,); `finals` (K,): cost of ending in
    a token, inf where none may; `best` (L',): the links of the best path, in order; `cost`: of the best path.
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
        """Return the input label of every frame on the best path, (T,)."""
        labels = self.inputs[self.best]
        return labels[labels > 0]

    def symbols(self) -> np.ndarray:
        """Return the ids of the words (or phones) on the best path, in order."""
        labels = self.outputs[self.best]
        return labels[labels > 0]


@numba.njit(cache=True, nogil=True)
def prune(  # type: ignore[no-untyped-def]
    links, link_cost, totals, last_base, ended, inputs, outputs, costs, lattice_beam
):
    """Keep the links on paths within the lattice beam; find the best path.

    `links`, `link_cost`, `totals` (costs so far) are those of the search; `ended` are the final costs of the tokens
    from number `last_base` on, those of the last frame. Returns the fields of a Lattice, `cost` before `finals`.
    """
    link_from, link_to, link_arc = links[:, 0], links[:, 1], links[:, 2]
    tokens = len(totals)
    finals = np.full(tokens, INFINITE, dtype=np.float32)
    best_total, best_token = INFINITE, -1
    for place in range(len(ended)):
        finals[last_base + place] = ended[place]
        if ended[place] < INFINITE and totals[last_base + place] + ended[place] < best_total:
            best_total, best_token = totals[last_base + place] + ended[place], last_base + place
    # Loss of a link: how much worse than the best way to its target the way over this link is.
    losses = np.empty(len(link_arc), dtype=np.float32)
    for link in range(len(link_arc)):
        source, target = link_from[link], link_to[link]
        losses[link] = totals[source] + costs[link_arc[link]] + link_cost[link] - totals[target]
    extra = _extra_costs(links, losses, totals, finals, last_base, best_total, best_token, lattice_beam)
    keep = np.zeros(len(link_arc), dtype=np.bool_)
    for link in range(len(link_arc)):
        target = link_to[link]
        keep[link] = extra[target] < INFINITE and losses[link] + extra[target] <= lattice_beam + TOLERANCE
    path = _best_path(links, losses, tokens, best_token)
    keep[path] = True
    kept = np.flatnonzero(keep)
    number = np.cumsum(keep) - 1
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
        number[path],
    )


@numba.njit(cache=True, nogil=True)
def _extra_costs(  # type: ignore[no-untyped-def]
    links, losses, totals, finals, last_base, best_total, best_token, lattice_beam
):
    """Compute for each token the cost of the best path through it, over that of the best path of all."""
    extra = np.full(len(totals), INFINITE, dtype=np.float32)
    for token in range(last_base, len(totals)):
        if finals[token] < INFINITE:
            extra[token] = totals[token] + finals[token] - best_total
    changed = best_token >= 0
    while changed:  # repeats only for links within a frame, which are not in the order of their tokens
        changed = False
        for link in range(len(losses) - 1, -1, -1):
            source, target = links[link, 0], links[link, 1]
            if extra[target] < INFINITE:
                worse = losses[link] + extra[target]
                if worse <= lattice_beam and worse < extra[source] - TOLERANCE:
                    extra[source] = max(worse, np.float32(0.0))
                    changed = True
    return extra


@numba.njit(cache=True, nogil=True)
def _best_path(links, losses, tokens, best_token):  # type: ignore[no-untyped-def]
    """Find the links of the best path, in order, from the best link into each token."""
    arriving = np.full(tokens, -1, dtype=np.int64)
    lowest = np.full(tokens, INFINITE, dtype=np.float32)
    for link in range(len(losses)):
        target = links[link, 1]
        if losses[link] < lowest[target]:
            lowest[target], arriving[target] = losses[link], link
    path = np.empty(tokens + 1, dtype=np.int64)
    length, token = 0, best_token
    while token > 0:
        path[length] = arriving[token]
        token = links[path[length], 0]
        length += 1
    return path[:length][::-1]
