import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from helpers.tones import write_corpus
from transformers import AutoModel, HubertModel, Wav2Vec2ForPreTraining

from unscribed.artifacts import read_table
from unscribed.errors import UserError
from unscribed.segmentation.kmeans import KmeansSettings
from unscribed.ssl import pretrain_trainer
from unscribed.ssl.checkpoint import load
from unscribed.ssl.contrastive import ContrastiveModel
from unscribed.ssl.pretrain import pretrain
from unscribed.ssl.pretrain_settings import PretrainSettings
from unscribed.ssl.targets import fit_targets

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16, 16, 16],
    "conv_kernel": [10, 8, 8],
    "conv_stride": [5, 8, 8],
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_codevectors_per_group": 8,
    "codevector_dim": 16,
    "proj_codevector_dim": 16,
    "layerdrop": 0.0,
}
SETTINGS = PretrainSettings(
    objective="contrastive",
    updates=60,
    batch_seconds=8.0,
    accumulation=1,
    max_seconds=3.0,
    learning_rate=0.003,
    warmup=0.1,
    weight_decay=0.01,
    mask_probability=0.4,
    mask_frames=2,
    negatives=20,
    contrastive_temperature=0.1,
    diversity_weight=0.5,
    features_penalty=1.0,
    encoder_gradient=0.1,
    gumbel_temperature=[2.0, 0.5],
    unmasked_weight=1.0,
    precision="float32",
    device="cpu",
    processes=1,
    check_every=20,
    seed=0,
)


@pytest.fixture
def corpus(tmp_path):
    """Arguments of the stage for two languages of random tunes."""
    generator = np.random.default_rng(0)

    def tunes(letters, count):
        return {
            f"u{number}": "".join(generator.choice(list(letters), size=generator.integers(8, 15)))
            for number in range(count)
        }

    places = [write_corpus(tmp_path / name, tunes(*what)) for name, what in {"x": ("abc", 20), "y": ("bcd", 8)}.items()]
    (tmp_path / "sizes.yaml").write_text(yaml.safe_dump(SIZES))
    tables = {"manifest": [str(place["manifest"]) for place in places], "vad": [str(place["vad"]) for place in places]}
    return {
        **{f"{start}{name}s": files for name, files in tables.items() for start in ("", "valid_")},
        "languages": ["x", "y"],
        "sizes": str(tmp_path / "sizes.yaml"),
        "targets": [],
        "teacher": "mfcc",
        "teacher_layer": 0,
        "alpha": 0.5,
        "sample_rate_hz": 16000,
        "threads": 1,
    }


@pytest.fixture(autouse=True)
def fresh_accelerator():
    """Accelerate keeps device and precision for the life of a process; a job has one of its own."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def clusters(corpus, tmp_path):
    """The same for HuBERT's objective."""
    tables = {name: corpus[name] for name in ("manifests", "vads", "sizes", "teacher", "sample_rate_hz", "threads")}
    path = tmp_path / "targets.safetensors"
    fit_targets(**tables, layer=0, settings=KmeansSettings(8, 10, 1, 5000), seed=0, targets=path)
    return corpus | {"targets": str(path)}


def run(corpus, folder, settings=SETTINGS):
    outputs = {"model": str(folder / "model"), "curves": str(folder / "curves.parquet")}
    pretrain(**corpus, settings=settings, **outputs)
    kind = HubertModel if settings.objective == "clusters" else Wav2Vec2ForPreTraining
    weights = kind.from_pretrained(folder / "model").state_dict()
    return read_table(folder / "curves.parquet").drop(columns="seconds"), weights


def kill_in_update_31(monkeypatch, corpus, folder, settings):
    """Run, and stop in the middle of the second stretch between two checks."""
    step, calls = pretrain_trainer.PretrainTrainer._step, []

    def killed(self, *given):
        calls.append(1)
        if len(calls) == 31:
            raise KeyboardInterrupt
        return step(self, *given)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(pretrain_trainer.PretrainTrainer, "_step", killed)
        run(corpus, folder, settings)


def assert_same(one, other):
    assert json.loads(one[0].to_json()) == json.loads(other[0].to_json())
    assert all(torch.equal(value, other[1][name]) for name, value in one[1].items())


def test_loss_falls_both_codebooks_are_used_and_the_model_loads_anywhere(corpus, tmp_path):
    curves, _ = run(corpus, tmp_path)
    assert curves["update"].tolist() == [20, 40, 60] and set(curves["status"]) == {"ok"}
    assert curves["valid_contrastive"].iloc[-1] < curves["valid_contrastive"].iloc[0] - 0.1
    assert curves["valid_accuracy"].iloc[-1] > 1.5 / 21
    assert min(curves["valid_perplexities"].iloc[-1]) > 1.5 and len(curves["valid_perplexities"].iloc[-1]) == 2
    assert not (tmp_path / "state.safetensors").exists()
    checkpoint = load(str(tmp_path / "model"), 16000)
    assert checkpoint.normalize and checkpoint.hop_samples == 320
    assert AutoModel.from_pretrained(tmp_path / "model").config.num_hidden_layers == 1


def test_hubert_learns_to_name_clusters_and_resumes_exactly(clusters, tmp_path, monkeypatch):
    settings = replace(SETTINGS, objective="clusters", updates=80)
    whole = run(clusters, tmp_path / "whole", settings)
    curves = whole[0]
    assert curves["valid_masked"].iloc[-1] < curves["valid_masked"].iloc[0] - 0.1
    assert curves["valid_unmasked_accuracy"].iloc[-1] > 2 / 8 and len(curves["valid_perplexities"].iloc[-1]) == 1
    assert "temperature" not in curves and "contrastive" not in curves
    assert load(str(tmp_path / "whole/model"), 16000).hop_samples == 320
    kill_in_update_31(monkeypatch, clusters, tmp_path / "killed", settings)
    assert_same(run(clusters, tmp_path / "killed", settings), whole)


def test_two_processes_name_clusters_as_one_does(clusters, tmp_path):
    short = replace(SETTINGS, objective="clusters", updates=6, check_every=3)
    alone, _ = run(clusters, tmp_path / "alone", replace(short, accumulation=2))
    both, _ = run(clusters, tmp_path / "both", replace(short, processes=2))
    for name in ("valid_masked", "valid_unmasked", "gradient_norm", "heard_hours"):
        assert both[name].tolist() == pytest.approx(alone[name].tolist(), rel=1e-3), name


def test_a_killed_training_goes_on_exactly(corpus, tmp_path):
    whole = run(corpus, tmp_path / "whole")
    killed = tmp_path / "killed"
    killed.mkdir()
    outputs = {"model": str(killed / "model"), "curves": str(killed / "curves.parquet")}
    (tmp_path / "job.json").write_text(json.dumps({**corpus, "settings": asdict(SETTINGS), **outputs}))
    command = [sys.executable, "-m", "unscribed.ssl.pretrain", str(tmp_path / "job.json")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 120
        while not (killed / "state.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
    assert (killed / "state.safetensors").exists() and not (killed / "curves.parquet").exists()
    assert_same(run(corpus, killed), whole)


def test_two_processes_do_what_two_batches_per_update_do(corpus, tmp_path):
    short = replace(SETTINGS, updates=6, check_every=3)
    alone, _ = run(corpus, tmp_path / "alone", replace(short, accumulation=2))
    both, _ = run(corpus, tmp_path / "both", replace(short, processes=2))
    for name in ("valid_contrastive", "valid_penalty", "gradient_norm", "heard_hours"):
        assert both[name].tolist() == pytest.approx(alone[name].tolist(), rel=1e-3), name


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(corpus, tmp_path, monkeypatch, caplog):
    forward, calls = ContrastiveModel.forward, []

    def breaks(self, *batch, **schedule):
        calls.append(self.training)
        found = forward(self, *batch, **schedule)
        return found | {"loss": found["loss"] * (float("nan") if sum(calls) == 31 else 1.0)}

    monkeypatch.setattr(ContrastiveModel, "forward", breaks)
    with pytest.raises(UserError, match=r"nan at update 31; its last good state is in .*pretrain\.learning_rate"):
        run(corpus, tmp_path)
    monkeypatch.undo()
    with caplog.at_level("INFO"):
        curves, weights = run(corpus, tmp_path, replace(SETTINGS, learning_rate=0.001))
    assert "resumed after update 20" in caplog.text and curves["update"].tolist() == [20, 40, 60]
    assert all(value.isfinite().all() for value in weights.values())


def test_half_precision_gives_nearly_the_same_losses(corpus, tmp_path):
    short = replace(SETTINGS, updates=4, check_every=2, learning_rate=1e-5)  # larger steps soon choose other codes
    full, _ = run(corpus, tmp_path / "full", short)
    AcceleratorState._reset_state(reset_partial_state=True)
    half, _ = run(corpus, tmp_path / "half", replace(short, precision="bfloat16"))
    assert half["valid_contrastive"].tolist() == pytest.approx(full["valid_contrastive"].tolist(), rel=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_gpu_learns_in_half_precision_and_resumes(corpus, tmp_path, monkeypatch, precision):
    settings = replace(SETTINGS, device="cuda", precision=precision)
    whole, _ = run(corpus, tmp_path / "whole", settings)
    assert whole["valid_contrastive"].iloc[-1] < whole["valid_contrastive"].iloc[0]
    kill_in_update_31(monkeypatch, corpus, tmp_path / "killed", settings)
    again, _ = run(corpus, tmp_path / "killed", settings)
    assert again["valid_contrastive"].tolist() == pytest.approx(whole["valid_contrastive"].tolist(), rel=0.02)


def test_a_state_of_other_settings_or_a_damaged_one_is_not_taken(corpus, tmp_path, caplog):
    (tmp_path / "state.safetensors").write_bytes(b"broken")
    short = replace(SETTINGS, updates=2, check_every=2)
    run(corpus, tmp_path, short)
    assert "is damaged" in caplog.text


def test_a_collapsed_codebook_is_said(corpus, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(pretrain_trainer, "PATIENCE", 2)
    build = ContrastiveModel.__init__

    def collapsed(self, model, objective):
        build(self, model, objective)
        model.quantizer.weight_proj.weight.data[8:] = 0.0
        model.quantizer.weight_proj.bias.data[8] = 50.0

    monkeypatch.setattr(ContrastiveModel, "__init__", collapsed)
    curves, _ = run(corpus, tmp_path, replace(SETTINGS, updates=6, check_every=2, learning_rate=1e-6))
    assert curves["status"].tolist() == ["ok", "collapsed", "collapsed"]
    assert "codebook 2 has collapsed" in caplog.text and "pretrain.diversity_weight" in caplog.text


def test_schedules_by_hand(corpus, tmp_path, monkeypatch):
    seen = {}

    def only_look(self, state):
        seen["rates"] = [self.learning_rate(update) for update in (0, 5, 6, 33, 59)]
        seen["temperatures"] = [self.plain.schedule(update / 60)["temperature"] for update in (0, 21, 42, 59)]
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain_trainer.PretrainTrainer, "run", only_look)
    with pytest.raises(KeyboardInterrupt):
        run(corpus, tmp_path)
    assert seen["rates"] == pytest.approx([0.0005, 0.003, 0.003, 0.0015, 0.003 / 54])
    assert seen["temperatures"] == pytest.approx([2.0, 1.0, 0.5, 0.5])


def test_errors_name_the_setting(corpus, tmp_path, monkeypatch):
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match=r"pretrain\.device is cuda, but this machine has no GPU"):
            run(corpus, tmp_path, replace(SETTINGS, device="cuda"))
    with pytest.raises(UserError, match=r"pretrain\.precision: float16 needs a GPU"):
        run(corpus, tmp_path, replace(SETTINGS, precision="float16"))
    with pytest.raises(UserError, match=r"no train utterance of x is as long .*pretrain\.mask_frames"):
        run(corpus, tmp_path, replace(SETTINGS, mask_frames=500))

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ContrastiveModel, "forward", full)
    with pytest.raises(UserError, match=r"memory of the GPU is full: lower pretrain\.batch_seconds, which is 8"):
        run(corpus, tmp_path)
