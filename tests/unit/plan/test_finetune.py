from types import SimpleNamespace

import pytest
from helpers.configurations import configuration

from unscribed.plan.checkpoint import Checkpoint
from unscribed.plan.corpus import CorpusPlan
from unscribed.plan.finetune import FinetunePlan, few_hours, round_words, valid_pseudo_labels, valid_transcripts


def finetune(features: dict | None = None, **values: object) -> FinetunePlan:
    config = configuration(finetune=values, features=features or {})
    return FinetunePlan.from_config(config, CorpusPlan.from_config(config))


def test_every_amount_of_labels_is_a_model_and_so_is_every_round_of_pseudo_labels() -> None:
    assert finetune(labels=[]).models == finetune(labels=[], rounds=3).models == []
    plan = finetune(labels=["1h", "pseudo", "10min"], rounds=2)
    assert plan.models == ["1h", "10min", "pseudo1", "pseudo2"]
    assert plan.scores[:3] == [
        f"<results>/finetune/1h/evaluate/{decoder}.json" for decoder in ("none", "ngram", "transformer")
    ]
    assert len(plan.scores) == 12


def test_the_checkpoint_is_that_of_the_features_unless_named() -> None:
    features = {"kind": "mfcc", "checkpoint": "some/model", "hop_ms": 5.0}
    assert finetune(features).checkpoint == Checkpoint("some/model", made_here=False)
    assert finetune(features).hop_ms == 20.0  # the model's, whatever the spectral frames are
    assert finetune(features, checkpoint="pretrain").checkpoint == Checkpoint(
        "results/a/pretrain/model", made_here=True
    )


def test_other_corpora_bring_their_labels_and_phones() -> None:
    plan = finetune(languages=[{"language": "de", "results": "results/de"}])
    assert plan.files("vad/train.parquet") == ["<results>/vad/train.parquet", "results/de/vad/train.parquet"]
    assert plan.inventories == []
    plan = finetune(languages=[{"language": "de", "results": "results/de"}], units="phones")
    assert plan.inventories == ["<results>/phonemize/phones.txt", "results/de/phonemize/phones.txt"]


@pytest.mark.parametrize(
    ("labels", "split", "wanted"), [("10min", "train", 1 / 6), ("10h", "train", 10), ("all", "train", None)]
)
def test_how_much_is_learned_from(labels: str, split: str, wanted: float | None) -> None:
    assert few_hours(SimpleNamespace(labels=labels, split=split)) == wanted
    assert few_hours(SimpleNamespace(labels=labels, split="valid")) is None


def test_pseudo_labels_are_words_of_the_hmm_and_then_of_the_model_before() -> None:
    assert round_words(SimpleNamespace(round="1")) == "<results>/words/{split}.parquet"
    assert round_words(SimpleNamespace(round="3")) == "<results>/finetune/pseudo2/ngram/{split}.parquet"


def test_only_models_that_learned_from_transcripts_are_tuned_by_them() -> None:
    few, pseudo = SimpleNamespace(labels="10min"), SimpleNamespace(labels="pseudo2")
    assert valid_transcripts(few) == "<results>/finetune/10min/labels/valid.parquet"
    assert valid_pseudo_labels(pseudo) == "<results>/finetune/pseudo2/labels/valid.parquet"
    assert valid_transcripts(pseudo) == valid_pseudo_labels(few) == []


def test_a_model_of_pseudo_labels_is_judged_by_the_run_that_made_them() -> None:
    plan = finetune(labels=["10min", "pseudo"])
    assert plan.recognisers == [f"<results>/finetune/{labels}/recogniser" for labels in ("10min", "pseudo1")]
    assert plan.verdict(SimpleNamespace(labels="pseudo1")) == "<results>/verdict.json"
    assert plan.verdict(SimpleNamespace(labels="10min")) == []
