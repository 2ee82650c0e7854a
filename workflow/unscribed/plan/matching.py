"""The rounds of the matching, for each seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.plan.candidates import Candidate


@dataclass(frozen=True)
class MatchingPlan:
    """The `seeds` of independent runs, and the number of `rounds` of each."""

    seeds: list[int]
    rounds: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "MatchingPlan":
        """Read the section `match`."""
        return cls(config["match"]["seeds"], config["match"]["rounds"])

    @property
    def places(self) -> list[str]:
        """The folder of every round of every seed, within that of a stage."""
        return [f"seed{seed}/round{round}" for seed in self.seeds for round in range(1, self.rounds + 1)]

    @property
    def candidates(self) -> list[Candidate]:
        """Every round, for the selection."""
        return [
            Candidate(
                name=f"match {place}",
                kind="match",
                hypotheses=f"<results>/decode/{place}/{{split}}.parquet",
                model=f"<results>/acoustic/{place}/model.safetensors",
            )
            for place in self.places
        ]


def round_before(first: str | list[str], later: str) -> Callable[[Any], str | list[str]]:
    """Find an input of a round: `first` in round 1, else `later` with {seed} and {round} of the round before."""

    def find(wildcards: Any) -> str | list[str]:
        number = int(wildcards.round)
        return first if number == 1 else later.format(seed=wildcards.seed, round=number - 1)

    return find
