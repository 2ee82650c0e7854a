"""What the selection chooses from."""

from collections.abc import Sequence
from typing import NamedTuple


class Candidate(NamedTuple):
    """A way to phones: its `name` in tables, its `kind`, its phones of a {split}, the file of its model."""

    name: str
    kind: str
    hypotheses: str
    model: str


def hypotheses(candidates: Sequence[Candidate], split: str) -> list[str]:
    """The phones of one split by each of the candidates, in their order."""
    return [candidate.hypotheses.format(split=split) for candidate in candidates]
