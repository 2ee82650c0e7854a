"""Checkpoints that the configuration names, as far as they are known before any work."""

import json

from helpers.configurations import CORPUS, SCHEMA, mistakes

from unscribed.config.checkpoints import hop_ms
from unscribed.config.checks import check
from unscribed.config.schema import complete


def test_models_that_have_seen_transcripts_stay_outside_the_firewall(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for labels, refused in {"10min": True, "pseudo1": False}.items():
        (tmp_path / f"results/a/finetune/{labels}/model").mkdir(parents=True)
        name = f"results/../results/a/finetune/{labels}/model"
        features = {"kind": "wav2vec", "checkpoint": name, "layer": 1}
        for section in ({"features": features}, {"finetune": {"labels": ["pseudo"], "checkpoint": name}}):
            found = mistakes({"corpus": CORPUS, **section}) if refused else []
            assert all("was fine-tuned with transcripts" in line for line in found) and len(found) == refused
            if not refused:
                check(complete({"corpus": CORPUS, **section}, SCHEMA))
        few = {"labels": ["1h"], "checkpoint": name}  # which may know them
        check(complete({"corpus": CORPUS, "finetune": few}, SCHEMA))


def test_other_corpora_need_their_results_and_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    languages = [{"language": "de", "results": "results/de"}, {"language": "en-us", "results": "results/x"}]
    (tmp_path / "results/x/vad").mkdir(parents=True)
    twice, missing = mistakes({"corpus": CORPUS, "pretrain": {"languages": languages}})
    assert twice.startswith("pretrain.languages: the language en-us is listed twice (corpus.language is en-us)")
    assert missing.startswith("pretrain.languages[0].results: results/de has no vad; run `snakemake vad`")
    few = {"labels": ["10min"], "checkpoint": "pretrain", "languages": languages[:1]}
    sizes = {"model": str(SCHEMA.parents[2] / "config/models/tiny.yaml")}
    (missing,) = mistakes({"corpus": CORPUS, "finetune": few, "pretrain": sizes})
    assert missing.startswith("finetune.languages[0].results: results/de has no finetune; run `snakemake finetune`")


def test_features_of_a_checkpoint(tmp_path):
    def wav2vec(checkpoint, **more):
        return {"corpus": CORPUS, "features": {"kind": "wav2vec", "checkpoint": str(checkpoint), **more}}

    (line,) = mistakes(wav2vec(""))
    assert line.startswith("features.checkpoint: is empty; set it to a folder, a model's name on the Hugging Face hub")
    for path in ("./xlsr", "a/b/c", "/nowhere"):
        (line,) = mistakes(wav2vec(path))
        assert line.startswith(f"features.checkpoint: {path} does not exist")
    for name in ("facebook/wav2vec2-large-xlsr-53@refs/pr/3", tmp_path):  # the stage looks into them
        config = complete(wav2vec(name), SCHEMA)
        check(config)
        assert hop_ms(config) == 20
    sizes = {"hidden_size": 8, "num_hidden_layers": 3, "conv_stride": [5, 2]}
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    assert mistakes(wav2vec(tmp_path)) == [
        "pca.dims: 39 is more than the 8 of its input (8 features of 1 frame(s)); lower it",
        f"features.layer: 15 is more than the 3 blocks of {tmp_path}; choose 0 to 3",
    ]
    config = complete({**wav2vec(tmp_path, layer=3), "pca": {"dims": 8}, "audio": {"sample_rate_hz": 8000}}, SCHEMA)
    check(config)
    assert hop_ms(config) == 1.25
    (tmp_path / "config.json").write_text('{"hidden_size": "8", "conv_stride": 5, "num_')
    assert hop_ms(complete(wav2vec(tmp_path), SCHEMA)) == 20
    (tmp_path / "config.json").write_text('{"hidden_size": "8", "conv_stride": 5}')
    check(complete(wav2vec(tmp_path), SCHEMA))
    assert hop_ms(complete({"corpus": CORPUS}, SCHEMA)) == 10


def test_features_of_the_model_that_pretraining_makes(tmp_path):
    (tmp_path / "model.yaml").write_text("num_hidden_layers: 2\nhidden_size: 64\n")
    config = {"corpus": CORPUS, "features": {"kind": "wav2vec", "checkpoint": "pretrain"}}
    config["pretrain"] = {"model": str(tmp_path / "model.yaml")}
    (line,) = mistakes(config)
    assert line == "features.layer: 15 is more than the 2 blocks of pretrain; choose 0 to 2"
