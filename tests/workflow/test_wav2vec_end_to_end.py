"""Learned features, the GAN of wav2vec-U 2.0 and fine-tuning: a micro model, killed in its pretraining."""

import json
import math

import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file
from transformers import AutoProcessor, HubertModel, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining
from workflow_runs import (
    kill_when,
    leftovers,
    no_traceback,
    rules,
    snakemake,
    write_config,
)

from unscribed import Recogniser
from unscribed.frames import FrameStore

pytestmark = pytest.mark.slow
TARGETS = ["features", "segment", "pretrain", "gan", "finetune"]
DECODERS = ["none", "ngram", "transformer"]
SPLITS = ["train", "valid", "test"]
# Hop and receptive field of the published models; the rest only has to fit together.
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 5,
    "conv_kernel": [20, 7, 3, 2, 2],
    "conv_stride": [10, 4, 2, 2, 2],
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_codevectors_per_group": 8,
    "codevector_dim": 16,
    "proj_codevector_dim": 16,
    "layerdrop": 0.0,
}
CONFIG = {
    "corpus": {
        "name": "micro",
        "kind": "espeak",
        "espeak": {"train_hours": 0.26, "valid_utterances": 12, "test_utterances": 12, "text_sentences": 1500},
    },
    "features": {"kind": "wav2vec", "checkpoint": "pretrain", "layer": 1, "shards": 2},
    "pretrain": {"model": "micro.yaml", "updates": 40, "batch_seconds": 10, "negatives": 10, "check_every": 5},
    "pca": {"dims": 8},
    "phonemize": {"min_count": 5},
    "gan": {
        "seeds": [0],
        "start": ["random"],
        "input": "frames",
        "kernel": 9,
        "stride": 3,
        "batch_norm": 30.0,
        "residual": True,
        "auxiliary": 0.5,
        "auxiliary_clusters": 16,
        "updates": 10,
        "check_every": 5,
        "batch_size": 8,
        "discriminator_dims": 8,
        "discriminator_first": 0,
    },
    "word_lm": {"order": 2, "prune": []},
    "finetune": {"labels": ["10min"], "updates": 30, "freeze_updates": 5, "batch_seconds": 20, "check_every": 15},
    "transformer_lm": {"layers": 1, "dims": 16, "heads": 2, "epochs": 1},
    "ctc": {
        "beam": 8.0,
        "max_active": 300,
        "lattice_beam": 3.0,
        "nbest": 5,
        "lm_weights": [1.0],
        "insertion_penalties": [-6.0],  # a reward: so short a training alone finds no words
        "transformer_weights": [0.0, 1.0],
        "tune_utterances": 5,
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a finished run. Its pretraining was killed after the first state, with all of Snakemake."""
    folder = tmp_path_factory.mktemp("micro")
    write_config(folder, CONFIG)
    (folder / "micro.yaml").write_text(yaml.safe_dump(SIZES), encoding="utf-8")
    kill_when(folder, "pretrain/state.safetensors", *TARGETS)
    assert not (folder / "results/micro/pretrain/curves.parquet").exists()
    snakemake(folder, "--unlock")
    output = snakemake(folder, *TARGETS)
    assert no_traceback(output) and "make_corpus" not in rules(output)
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results/micro"


def test_a_killed_pretraining_goes_on(results):
    log = (results / "logs/pretrain.log").read_text(encoding="utf-8")
    assert log.count("resumed after update ") == 1
    done = int(log.split("resumed after update ")[1].split()[0])
    assert 5 <= done < 40 and done % 5 == 0
    assert f" update {done + 5}, " in log and f" update {done}, " not in log
    curves = pd.read_parquet(results / "pretrain/curves.parquet")
    assert curves["update"].tolist() == list(range(5, 41, 5))
    assert curves["valid_contrastive"].map(math.isfinite).all() and curves["heard_hours"].is_monotonic_increasing
    assert (results / "figures/pretrain.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_gan_on_learned_frames_is_trained_to_name_clusters_of_mfccs(results):
    heard, named = FrameStore(results / "features/train.npy"), FrameStore(results / "gan/targets/train.npy")
    assert (heard.metadata["hop_ms"], named.metadata["hop_ms"], named.metadata["kind"]) == (20.0, 10.0, "mfcc")
    assert named.utterances == heard.utterances and abs(len(named.data) / len(heard.data) - 2) < 0.05
    assert named.metadata["clusters"] == 16 and set(named.data[:, 0]) == set(range(16))
    curves = pd.read_parquet(results / "gan/job0/curves.parquet")
    assert curves["update"].tolist() == [0, 5, 10] and curves["auxiliary"][1:].map(math.isfinite).all()


def test_features_come_from_the_pretrained_model(results):
    model = Wav2Vec2ForPreTraining.from_pretrained(results / "pretrain/model", local_files_only=True)
    assert model.config.hidden_size == 32 and model.config.num_hidden_layers == 2
    for split in SPLITS:
        store = FrameStore(results / f"features/{split}.npy")
        manifest = pd.read_parquet(results / f"manifest/{split}.parquet")
        speech = pd.read_parquet(results / f"vad/{split}.parquet")["speech_seconds"]
        wanted = {
            "kind": "wav2vec",
            "dims": 32,
            "hop_ms": 20.0,
            "layer": 1,
            "checkpoint": "results/micro/pretrain/model",
        }
        assert wanted.items() <= store.metadata.items()
        assert list(store.utterances) == manifest["utterance"].tolist()  # of both shards, in order
        for number, seconds in enumerate(speech):
            frames = store[number]
            assert frames.shape[1] == 32 and abs(len(frames) - 50 * seconds) < 2
        assert FrameStore(results / f"segment/{split}.npy")[0].shape[1] == 8


def test_a_fine_tuned_model_can_be_used_elsewhere(results):
    made = results / "finetune/10min"
    model = Wav2Vec2ForCTC.from_pretrained(made / "model", local_files_only=True)
    processor = AutoProcessor.from_pretrained(made / "model", local_files_only=True)
    vocabulary = json.loads((made / "labels/vocab.json").read_text(encoding="utf-8"))
    assert model.config.vocab_size == len(vocabulary) and processor.tokenizer.get_vocab().items() >= vocabulary.items()
    assert pd.read_parquet(made / "curves.parquet")["update"].tolist() == [15, 30]
    labels, manifest = (
        pd.read_parquet(path) for path in (made / "labels/train.parquet", results / "manifest/train.parquet")
    )
    assert 0 < len(labels) < len(manifest)
    store = FrameStore(made / "log_probs/test.npy")
    assert store.metadata["vocab"] == sorted(vocabulary, key=vocabulary.get) and store.metadata["hop_ms"] == 20.0


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_decoder_is_scored(results, decoder):
    made = results / "finetune/10min"
    words = pd.read_parquet(made / f"{decoder}/test.parquet")
    assert sorted(words["utterance"]) == sorted(pd.read_parquet(results / "manifest/test.parquet")["utterance"])
    scores = json.loads((made / f"evaluate/{decoder}.json").read_text())
    for split in ("valid", "test"):
        assert math.isfinite(scores[f"{split}.wer"]) and scores[f"{split}.wer"] >= 0
    assert (made / f"{decoder}/weights.json").exists() == (decoder != "none")


def test_nothing_temporary_is_left(results):
    assert not leftovers(results)
    for pattern in ("**/shard*", "**/state.safetensors", "**/job.json"):
        assert not [path for path in results.glob(pattern) if path.suffix not in (".log", ".tsv")], pattern


def test_running_again_does_nothing(folder):
    assert "Nothing to be done" in snakemake(folder, *TARGETS, "--dry-run")


def test_a_second_pretraining_names_clusters_of_the_first_ones_states(folder):
    own = {**CONFIG["pretrain"], "objective": "clusters", "targets": "results/micro/pretrain/model"}
    own |= {"targets_layer": 1, "clusters": 8, "updates": 4, "check_every": 2}
    corpus = {**CONFIG["corpus"], "name": "second"}
    (folder / "second.yaml").write_text(yaml.safe_dump({**CONFIG, "corpus": corpus, "pretrain": own}), encoding="utf-8")
    assert no_traceback(snakemake(folder, "pretrain", "--configfile", "second.yaml"))
    made = folder / "results/second/pretrain"
    assert load_file(made / "targets.safetensors")["centroids"].shape == (8, 32)
    assert pd.read_parquet(made / "curves.parquet")["valid_masked"].map(math.isfinite).all()
    assert HubertModel.from_pretrained(made / "model", local_files_only=True).config.num_hidden_layers == 2
    assert (folder / "results/second/figures/pretrain.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_fine_tuned_model_hears_in_files_what_the_workflow_heard(results):
    """In half precision and another batch, a word may differ."""
    words = pd.read_parquet(results / "finetune/10min/ngram/test.parquet").set_index("utterance")["words"]
    recogniser = Recogniser(results / "finetune/10min")
    paths = sorted((results / "corpus/audio").glob("test-*.wav"))
    heard = [[word.text for word in recogniser.transcribe(path).words] for path in paths]
    same = [found == words[path.stem].tolist() for path, found in zip(paths, heard, strict=True)]
    assert sum(same) >= len(same) - 1 and any(heard)
