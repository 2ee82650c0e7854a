from types import SimpleNamespace

from helpers.configurations import configuration

from unscribed.plan.candidates import hypotheses
from unscribed.plan.matching import MatchingPlan, round_before

PLAN = MatchingPlan.from_config(configuration(match={"seeds": [3, 0], "rounds": 2}))


def test_places_are_all_rounds_of_one_seed_then_of_the_next() -> None:
    assert PLAN.places == ["seed3/round1", "seed3/round2", "seed0/round1", "seed0/round2"]


def test_every_round_is_a_candidate() -> None:
    assert [candidate.name for candidate in PLAN.candidates] == [f"match {place}" for place in PLAN.places]
    second = PLAN.candidates[1]
    assert (second.kind, second.model) == ("match", "<results>/acoustic/seed3/round2/model.safetensors")
    assert hypotheses(PLAN.candidates[:2], "valid") == [
        "<results>/decode/seed3/round1/valid.parquet",
        "<results>/decode/seed3/round2/valid.parquet",
    ]


def test_a_round_starts_where_the_one_before_ended() -> None:
    find = round_before("<results>/first", "<results>/seed{seed}/round{round}/later")
    assert find(SimpleNamespace(seed="3", round="1")) == "<results>/first"
    assert find(SimpleNamespace(seed="3", round="12")) == "<results>/seed3/round11/later"
    assert round_before([], "x")(SimpleNamespace(seed="0", round="1")) == []
