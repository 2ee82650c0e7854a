import json
from pathlib import Path

import pytest
from helpers.configurations import configuration

from unscribed.plan.checkpoint import Checkpoint, FeaturesPlan, PretrainPlan
from unscribed.plan.corpus import CorpusPlan

CORPUS = CorpusPlan.from_config(configuration())
OTHERS = [{"language": "de", "results": "results/de"}, {"language": "sw", "results": "/data/sw"}]


@pytest.mark.parametrize("name", ["pretrain", "results/a/pretrain/model"])
def test_the_model_of_the_stage_pretrain_is_an_artifact(name: str) -> None:
    found = Checkpoint.named(name, CORPUS)
    assert found == Checkpoint("results/a/pretrain/model", made_here=True)
    assert found.files == ["<results>/pretrain/model"]


def test_a_folder_is_known_by_its_files_and_a_name_on_the_hub_by_itself(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "README.md"):
        (tmp_path / name).touch()
    found = Checkpoint.named(str(tmp_path), CORPUS)
    assert not found.made_here and found.name == str(tmp_path)
    assert found.files == [str(tmp_path / "config.json"), str(tmp_path / "model.safetensors")]
    assert Checkpoint.named("facebook/hubert-base-ls960", CORPUS).files == []


def test_only_learned_features_have_shards() -> None:
    shards = {"features": {"kind": "mfcc", "shards": 4, "hop_ms": 12.5}}
    spectral = FeaturesPlan.from_config(configuration(**shards), CORPUS)
    assert (bool(spectral.learned), spectral.shards, spectral.hop_ms) == (False, 1, 12.5)
    assert spectral.rules == ["features_split"]
    shards["features"] |= {"kind": "wav2vec", "checkpoint": "some/model"}
    learned = FeaturesPlan.from_config(configuration(**shards), CORPUS)
    assert (bool(learned.learned), learned.shards, learned.hop_ms) == (True, 4, 20.0)
    assert learned.rules == ["features_split", "features_shard"]


def test_a_model_decides_how_far_its_frames_are_apart(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"conv_stride": [5, 4]}))
    config = configuration(features={"kind": "wav2vec", "checkpoint": str(tmp_path)}, audio={"sample_rate_hz": 8000})
    assert FeaturesPlan.from_config(config, CORPUS).hop_ms == 2.5  # 20 of 8000 samples per second


def test_pretraining_hears_this_corpus_first_and_then_the_others() -> None:
    config = configuration({"language": "en-us"}, pretrain={"languages": OTHERS})
    plan = PretrainPlan.from_config(config, CORPUS)
    assert plan.languages == ["en-us", "de", "sw"]
    audio = ["<results>/vad/train.parquet", "results/de/vad/train.parquet", "/data/sw/vad/train.parquet"]
    assert plan.files("vad", "train") == audio
    spoken = PretrainPlan.from_config(configuration(pretrain={"languages": OTHERS, "spoken": True}), CORPUS)
    assert spoken.files("vad", "train") == [*audio, "<results>/speak/vad.parquet"]
    assert len(spoken.languages) == 4 and len(spoken.files("manifest", "valid")) == 3


@pytest.mark.parametrize(
    ("objective", "others", "codebook"),
    [("contrastive", OTHERS, True), ("contrastive", [], False), ("clusters", OTHERS, False)],
)
def test_languages_are_compared_by_a_codebook_that_they_share(objective: str, others: list, codebook: bool) -> None:
    config = configuration(pretrain={"languages": others, "objective": objective, "targets": "some/model"})
    plan = PretrainPlan.from_config(config, CORPUS)
    assert (plan.codebook, plan.clusters) == (codebook, objective == "clusters")
    assert plan.teacher == Checkpoint("some/model", made_here=False)
