"""The models that the selection chooses from."""

from collections.abc import Sequence
from typing import NamedTuple


class Candidate(NamedTuple):
    """A round or run: its `name` in tables, its `kind`, the paths of its phones (with {split}) and of its model."""

    name: str
    kind: str
    hypotheses: str
    model: str


def hypotheses(candidates: Sequence[Candidate], split: str) -> list[str]:
    """Return the files with the phones of one split by each of the candidates, in their order."""
    return [candidate.hypotheses.format(split=split) for candidate in candidates]
