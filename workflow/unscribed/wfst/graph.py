"""Decoding graphs as flat arrays, which the beam search reads without OpenFst.

Dimensions: N states, A arcs.
"""

import io
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike, read_tensors, readable, write_tensors


@dataclass(frozen=True)
class Graph:
    """Arcs sorted by source state; those without an input label come first within a state.

    `first` (N + 1,): a state's first arc; `emitting` (N,): its first arc that consumes a frame; `inputs` (A,): label
    of that frame, 0 for none; `outputs` (A,): word or phone id, 0 for none; `costs` (A,): negative log probabilities;
    `targets` (A,): next states; `final` (N,): costs of ending, inf where a path must not end. State 0 is the start.
    """

    first: np.ndarray
    emitting: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    costs: np.ndarray
    targets: np.ndarray
    final: np.ndarray

    @classmethod
    def parse(cls, text: str, silent: list[int]) -> "Graph":
        """Parse OpenFst's text form; the input labels `silent` (disambiguation symbols) consume no frame."""
        table = pd.read_csv(
            io.StringIO(text), sep=r"\s+", header=None, names=["source", "target", "input", "output", "cost"]
        )
        arcs = table[table["input"].notna()].fillna({"cost": 0.0})
        ends = table[table["input"].isna()]  # `state` or `state cost`
        size = int(max(table["source"].max(), arcs["target"].max())) + 1
        final = np.full(size, np.inf, dtype=np.float32)
        final[ends["source"].to_numpy(dtype=np.int64)] = ends["target"].fillna(0.0)
        return cls.build(
            arcs["source"].to_numpy(dtype=np.int64),
            arcs["target"].to_numpy(dtype=np.int64),
            np.where(np.isin(arcs["input"], silent), 0, arcs["input"]),
            arcs["output"].to_numpy(),
            arcs["cost"].to_numpy(),
            final,
        ).starting_at(int(table["source"].iloc[0]))

    @classmethod
    def build(
        cls,
        sources: np.ndarray,
        targets: np.ndarray,
        inputs: np.ndarray,
        outputs: np.ndarray,
        costs: np.ndarray,
        final: np.ndarray,
    ) -> "Graph":
        """Build a graph from arcs in any order; `sources`, `targets`, … are (A,), `final` is (N,)."""
        order = np.lexsort((inputs > 0, sources))
        first = np.searchsorted(sources[order], np.arange(len(final) + 1))
        silent = np.bincount(sources[inputs == 0], minlength=len(final))
        return cls(
            first.astype(np.int64),
            (first[:-1] + silent).astype(np.int64),
            inputs[order].astype(np.int32),
            outputs[order].astype(np.int32),
            costs[order].astype(np.float32),
            targets[order].astype(np.int32),
            final.astype(np.float32),
        )

    def starting_at(self, state: int) -> "Graph":
        """Return the same graph with `state` and state 0 exchanged."""
        if not state:
            return self
        renamed = np.arange(len(self.final))
        renamed[[0, state]] = state, 0
        sources = renamed[np.repeat(np.arange(len(self.final)), np.diff(self.first))]
        return self.build(sources, renamed[self.targets], self.inputs, self.outputs, self.costs, self.final[renamed])

    def with_penalty(self, penalty: float) -> "Graph":
        """Return the same graph with `penalty` added to the cost of each arc with an output (word or phone)."""
        return replace(self, costs=self.costs + np.float32(penalty) * (self.outputs > 0))

    def write(self, path: Pathlike) -> None:
        """Write as safetensors, one tensor per array."""
        write_tensors(path, {field.name: getattr(self, field.name) for field in fields(self)}, {})

    @classmethod
    def read(cls, path: Pathlike) -> "Graph":
        """Read a graph. Raises UserError if the file is missing or damaged."""
        with readable(path):
            return cls(**read_tensors(path)[0])
