from types import SimpleNamespace

import pytest
from helpers.configurations import configuration

from unscribed.plan.hmm import (
    HmmPlan,
    cycle_before,
    is_supervised,
    place_text,
    supervised_step_labels,
)


class Wildcards(SimpleNamespace):
    """Wildcards of a rule, as Snakemake gives them."""

    def get(self, name: str, default: str | None = None) -> str | None:
        return getattr(self, name, default)


def hmm(cycles: int = 1, labels: str = "words words phones", **sections: object) -> HmmPlan:
    """Steps that label with the named n-grams; `+` after one stands for networks."""
    steps = [
        {"features": "frames", "gaussians": 10, "labels": name.rstrip("+"), "network": name.endswith("+")}
        for name in labels.split()
    ]
    return HmmPlan.from_config(configuration(hmm={"cycles": cycles, "steps": steps}, **sections))


def test_cepstra_are_modelled_as_they_are_and_other_features_by_their_principal_components() -> None:
    assert hmm().store("train") == "<results>/features/train.npy"
    assert hmm(features={"kind": "logmel"}).store("{split}") == "<results>/pca/{split}.npy"


def test_a_step_learns_from_what_the_step_before_decoded() -> None:
    plan = hmm(cycles=2, labels="words phones phones")
    learned = {
        (cycle, step): plan.step_labels(SimpleNamespace(cycle=str(cycle), step=str(step)))
        for cycle in (1, 2)
        for step in (1, 2, 3)
    }
    assert learned == {
        (1, 1): "<results>/decode/train.parquet",
        (1, 2): "<results>/hmm/cycle1/step1/words/train.parquet",
        (1, 3): "<results>/hmm/cycle1/step2/phones/train.parquet",
        (2, 1): "<results>/hmm/cycle2/mapping/train.parquet",
        (2, 2): "<results>/hmm/cycle2/step1/words/train.parquet",
        (2, 3): "<results>/hmm/cycle2/step2/phones/train.parquet",
    }


def test_all_steps_are_scored_and_the_last_ones_as_the_result() -> None:
    assert hmm(cycles=2, labels="words phones").decodes("test.parquet") == [
        "<results>/hmm/cycle1/step1/words/test.parquet",
        "<results>/hmm/cycle2/step1/words/test.parquet",
        "<results>/hmm/final/phones/test.parquet",
    ]


def test_cycles_are_compared_only_if_there_are_several() -> None:
    assert hmm().ends("model.safetensors") == ["<results>/hmm/cycle1/step3/model.safetensors"]
    assert hmm().rivals() == []
    assert hmm(cycles=2, labels="open").rivals() == [
        "<results>/hmm/cycle1/step1/open/train.parquet",
        "<results>/hmm/cycle2/step1/open/train.parquet",
    ]


@pytest.mark.parametrize(
    ("place", "labels", "partner"),
    [
        ("hmm/cycle1/step1", "<results>/decode/valid.parquet", []),
        ("hmm/cycle2/step1", "<results>/hmm/cycle2/mapping/valid.parquet", []),
        ("hmm/cycle1/step2", [], ["<results>/hmm/cycle1/step1/words/graph.safetensors"]),
        ("hmm/final", [], ["<results>/hmm/cycle2/step2/words/graph.safetensors"]),
        ("supervised/step2", "<results>/supervised/labels/valid.parquet", []),
    ],
)
def test_decoding_is_tuned_by_the_step_before_or_by_the_labels_it_starts_from(
    place: str, labels: str | list[str], partner: list[str]
) -> None:
    plan, wildcards = hmm(cycles=2), SimpleNamespace(place=place, lm="words")
    assert plan.tuning_labels(wildcards) == labels
    assert plan.partners("{lm}/graph.safetensors")(wildcards) == partner


@pytest.mark.parametrize(
    ("labels", "repeating", "partners"),
    [
        ("words words words phones", [3], [3]),  # the last is never passed over
        ("words words open+ open+ open+", [4, 5], [4, 3, 2]),  # the third has a model of its own, and so has the second
        ("words words words", [3], [2, 1]),
        ("words words open", [], [2]),
    ],
)
def test_a_step_that_labels_as_the_one_before_may_be_passed_over(
    labels: str, repeating: list[int], partners: list[int]
) -> None:
    """The second is always trained, because the mapping differs from the first model in its own way."""
    plan = hmm(labels=labels)
    found = plan.before("{labels}/weights.json")
    names = labels.replace("+", "").split()
    for step in range(1, len(names) + 1):
        place = Wildcards(place=f"hmm/cycle1/step{step}", lm=names[step - 1], split="train")
        wanted = f"<results>/hmm/cycle1/step{step - 1}/{names[step - 1]}/weights.json" if step in repeating else []
        assert found(place) == found(Wildcards(cycle="1", step=str(step))) == wanted
    final = Wildcards(place="hmm/final", lm="words")
    assert plan.partners("model.safetensors")(final) == [
        f"<results>/hmm/cycle1/step{step}/model.safetensors" for step in partners
    ]


@pytest.mark.parametrize(
    "wildcards",
    [
        {"place": "hmm/final", "lm": "words"},
        {"place": "supervised/step3", "lm": "words"},
        {"place": "hmm/cycle1/step3", "lm": "phones"},  # decoded for its scores alone
        {"place": "hmm/cycle1/step3", "lm": "words", "split": "test"},
    ],
)
def test_only_labels_are_passed_on(wildcards: dict[str, str]) -> None:
    plan = hmm(labels="words words words")
    assert plan.before("{labels}/{split}.parquet")(Wildcards(**wildcards)) == []


def test_a_single_step_has_no_step_before_it() -> None:
    plan, wildcards = hmm(labels="words"), SimpleNamespace(place="hmm/final", lm="words")
    assert plan.tuning_labels(wildcards) == "<results>/decode/valid.parquet"
    assert plan.partners("model.safetensors")(wildcards) == []


def test_the_topline_has_its_own_text_and_starts_from_transcripts() -> None:
    own, theirs = SimpleNamespace(place="supervised/step2"), SimpleNamespace(place="hmm/final")
    assert is_supervised(own) and not is_supervised(theirs)
    find = place_text("word_lm/lm.fst")
    assert (find(own), find(theirs)) == ("<results>/supervised/word_lm/lm.fst", "<results>/word_lm/lm.fst")
    assert supervised_step_labels(SimpleNamespace(step="1")) == "<results>/supervised/labels/train.parquet"
    assert supervised_step_labels(SimpleNamespace(step="3")) == "<results>/supervised/step2/aligned/train.parquet"


def test_a_cycle_starts_from_the_segments_of_the_one_before() -> None:
    find = cycle_before("labels.npy")
    assert find(SimpleNamespace(cycle="2")) == "<results>/hmm/cycle1/segments/labels.npy"
