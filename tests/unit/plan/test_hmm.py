from types import SimpleNamespace

import pytest
from helpers.configurations import configuration

from unscribed.plan.hmm import (
    HmmPlan,
    cycle_before,
    is_supervised,
    place_labels,
    place_text,
    supervised_step_labels,
)


def hmm(cycles: int = 1, labels: str = "words words phones", **sections: object) -> HmmPlan:
    steps = [{"features": "frames", "gaussians": 10, "labels": name} for name in labels.split()]
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
    assert hmm(cycles=2, labels="words phones").decodes("test") == [
        "<results>/hmm/cycle1/step1/words/test.parquet",
        "<results>/hmm/cycle2/step1/words/test.parquet",
        "<results>/hmm/final/phones/test.parquet",
    ]


def test_cycles_are_compared_only_if_there_are_several() -> None:
    assert hmm().ends("model.safetensors") == ["<results>/hmm/cycle1/step3/model.safetensors"]
    assert hmm().rivals("phones/train.parquet") == []
    assert hmm(cycles=2, labels="words").rivals("x") == ["<results>/hmm/cycle1/step1/x", "<results>/hmm/cycle2/step1/x"]


@pytest.mark.parametrize(
    ("place", "labels"),
    [
        ("hmm/final", "<results>/decode/valid.parquet"),
        ("hmm/cycle1/step2", "<results>/decode/valid.parquet"),
        ("hmm/cycle12/step1", "<results>/hmm/cycle12/mapping/valid.parquet"),
        ("supervised/step1", "<results>/supervised/labels/valid.parquet"),
    ],
)
def test_decoding_is_tuned_by_the_mapping_of_the_cycle_or_by_transcripts(place: str, labels: str) -> None:
    assert place_labels(SimpleNamespace(place=place)) == labels


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
