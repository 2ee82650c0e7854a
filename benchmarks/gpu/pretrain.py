"""Pretrain on all speech that was made, by HuBERT's objective; probe the model thrice; bring the checkpoint back.

The first call learns clusters of MFCCs; when it has ended, the next learns clusters of the first model's states.
A call that was cut goes on from its last state. How many updates there are is decided by the speed of the first ones.
The probe is a linear layer trained with natural-en's transcripts: it measures, and nothing is learned from it.
"""

import json
import multiprocessing
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from probe import probe
from safetensors import safe_open
from safetensors.torch import load_file
from settings import defaults, settings_of
from step import ROOT, Figure, Step, read_arguments, rounded
from transformers import HubertModel, Wav2Vec2FeatureExtractor

from unscribed.clustering import KmeansSettings
from unscribed.config.feature_kinds import LEARNED
from unscribed.ssl.extract import LearnedSettings, learned_features
from unscribed.ssl.model_config import hubert_config, read_model_config
from unscribed.ssl.pretrain import pretrain
from unscribed.ssl.pretrain_settings import PretrainSettings
from unscribed.ssl.targets import fit_targets

RATE = 16000  # Hz
CORES = os.cpu_count() or 1
CHECKS = 12  # of a training; a state is saved at each
TRIAL_UPDATES = 24  # of the first measurement
TINY_UPDATES = 6  # of a rehearsal
PROBE_SECONDS = 60.0  # kept for the last probe and the checkpoint
POLL_SECONDS = 1.0
SHARD = "15MB"  # of the checkpoint: files of at most 16 MB can be brought back
SHARE = 0.9  # of the time that is left after the trial: probes beside the training slow it down
BATCH_SECONDS, LEARNING_RATE = 240.0, 1e-3
CARD = """# HuBERT, 11.7 M parameters, pretrained on synthetic speech

Heard, without transcripts: an English neural voice (hibari) at several speeds, and eSpeak NG in many voices. Weights in
half precision, in the layout of transformers; 16 kHz, frames of 20 ms. The probe is a linear layer trained with the
transcripts of natural-en: PER in per cent.

"""
CLUSTERS, CLUSTERS_OF_STATES = 100, 500  # HuBERT, section 4.2


@dataclass(frozen=True)
class Iteration:
    """One of HuBERT's iterations: its folder, and what its clusters are of."""

    folder: Path
    teacher: str
    layer: int
    clusters: int


def next_iteration(step: Step) -> Iteration:
    """Return the first that has not ended."""
    first = step.work / "pretrain/first"
    if not (first / "done.json").exists():
        return Iteration(first, "mfcc", 0, CLUSTERS // (10 if step.rehearse else 1))
    clusters = CLUSTERS_OF_STATES // (25 if step.rehearse else 1)
    return Iteration(step.work / "pretrain/second", str(first / "model"), layer_of(step), clusters)


def speech(work: Path) -> dict[str, Any]:
    """Return the tables of all speech that was made; one part has utterances to validate with."""
    parts = sorted(path.parents[1] for path in (work / "speech").glob("*/vad/train.parquet"))
    parts = [part for part in parts if part.name != "natural-en"]
    if not parts:
        raise SystemExit("there is no speech: the step `speech` has to end first.")
    valid = [work / "speech/part0"] * len(parts)
    return {
        "languages": [part.name for part in parts],
        "manifests": [str(part / "manifest/train.parquet") for part in parts],
        "vads": [str(part / "vad/train.parquet") for part in parts],
        "valid_manifests": [str(part / "manifest/valid.parquet") for part in valid],
        "valid_vads": [str(part / "vad/valid.parquet") for part in valid],
    }


class Training:
    """A pretraining in a process of its own; meanwhile this one can look at its states."""

    def __init__(self, step: Step, iteration: Iteration, tables: dict[str, Any], name: str, updates: int) -> None:
        settings = settings_of(PretrainSettings, defaults()["pretrain"], **_changes(step, updates))
        self.state, self.curves = (iteration.folder / name / file for file in ("state.safetensors", "curves.parquet"))
        self.model = iteration.folder / name / "model"
        arguments = {
            **tables,
            "sizes": sizes(step),
            "targets": iteration.folder / "targets.safetensors",
            "teacher": iteration.teacher,
            "teacher_layer": iteration.layer,
            "settings": settings,
            "alpha": 1.0,
            "sample_rate_hz": RATE,
            "threads": CORES,
            "model": self.model,
            "curves": self.curves,
        }
        self.process = multiprocessing.get_context("spawn").Process(target=pretrain, kwargs=arguments)
        self.process.start()

    def rows(self) -> list[dict[str, Any]]:
        """Return the checks so far."""
        return _progress(self.state)["rows"] if self.state.exists() else []


def _changes(step: Step, updates: int) -> dict[str, Any]:
    """Settings that differ from the defaults."""
    tiny = {"batch_seconds": 8.0, "precision": "float32"}
    return {
        "objective": "clusters",
        "updates": updates,
        "check_every": max(1, updates // CHECKS),
        "device": step.device.type,
        "precision": "bfloat16",
        "batch_seconds": BATCH_SECONDS,
        "learning_rate": LEARNING_RATE,
        "processes": 1,
        **(tiny if step.rehearse else {}),
    }


def sizes(step: Step) -> Path:
    """Return the file with the sizes of the model: at most 12 million parameters."""
    return ROOT / f"config/models/{'tiny' if step.rehearse else 'small'}.yaml"


def _progress(state: Path) -> dict[str, Any]:
    with safe_open(state, "pt") as file:
        return json.loads(file.metadata()["progress"])


def fit_clusters(step: Step, iteration: Iteration, tables: dict[str, Any]) -> None:
    """Cluster the frames that the iteration's targets are of, unless that was done."""
    if (iteration.folder / "targets.safetensors").exists():
        return
    most = 2_000 if step.rehearse else 200_000
    changes = {"clusters": iteration.clusters, "restarts": 1, "max_frames": most}
    fit_targets(
        manifests=tables["manifests"],
        vads=tables["vads"],
        sizes=sizes(step),
        teacher=iteration.teacher,
        layer=iteration.layer,
        settings=settings_of(KmeansSettings, defaults()["kmeans"], **changes),
        seed=0,
        sample_rate_hz=RATE,
        threads=CORES,
        targets=iteration.folder / "targets.safetensors",
    )


def planned_updates(step: Step, iteration: Iteration, tables: dict[str, Any]) -> int:
    """Return the updates that fit into the time, by the speed of a trial; those of a call that was cut, if there are.

    The first checks of a trial warm up and are left out.
    """
    plan = iteration.folder / "plan.json"
    if not plan.exists():
        trial = Training(step, iteration, tables, "trial", TINY_UPDATES if step.rehearse else TRIAL_UPDATES)
        trial.process.join()
        if trial.process.exitcode:
            raise SystemExit("the trial of the pretraining failed; its error is above.")
        rows = pd.read_parquet(trial.curves)
        warm, last = rows.iloc[len(rows) // 2], rows.iloc[-1]
        speed = (last["update"] - warm["update"]) / (last["seconds"] - warm["seconds"])
        updates = max(CHECKS, int(SHARE * speed * (step.left() - PROBE_SECONDS)))
        plan.write_text(json.dumps({"updates": TINY_UPDATES if step.rehearse else updates}))
    return int(json.loads(plan.read_text())["updates"])


def model_of(step: Step, training: Training, folder: Path) -> Path:
    """Write the model of the last state, or of the finished training, as transformers loads it; return its folder."""
    if training.model.exists():
        return training.model
    weights = {
        name.removeprefix("model.model."): value
        for name, value in load_file(training.state).items()
        if name.startswith("model.model.")
    }
    model = HubertModel(hubert_config(read_model_config(sizes(step))))
    model.load_state_dict(weights)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=True, return_attention_mask=True).save_pretrained(folder)
    return folder


def probed(step: Step, model: Path, layer: int) -> dict[str, Figure]:
    """Probe the states of `layer` with natural-en's transcripts: PER in per cent."""
    natural, store = step.work / "speech/natural-en", step.work / "pretrain/probe"
    for split in ("train", "valid", "test"):
        learned_features(
            manifest=natural / f"manifest/{split}.parquet",
            vad=natural / f"vad/{split}.parquet",
            settings=LearnedSettings("wav2vec", layer, 20.0 if step.rehearse else 300.0, step.device.type, 1),
            encoder=LEARNED["wav2vec"].encoder,
            checkpoint=str(model),
            sample_rate_hz=RATE,
            hop_ms=20.0,
            shard=0,
            features=store / f"{split}.npy",
            threads=max(1, CORES // 2),
        )
    epochs = 1 if step.rehearse else 15
    found = probe(features=store, references=natural / "references", hours=0.0, epochs=epochs, rate=0.02, seed=0)
    return {key: found[key] for key in ("valid_per", "test_per")}


def watch(step: Step, training: Training, updates: int, figures: dict[str, Figure]) -> None:
    """Probe the state after the first and second third; end the training when its time is over."""
    third, layer = 1, layer_of(step)
    while training.process.is_alive() and (step.rehearse or step.left() > PROBE_SECONDS):
        rows = training.rows()
        if rows and third < 3 and rows[-1]["update"] >= third * updates / 3:
            model = model_of(step, training, step.work / "pretrain/looked_at")
            figures |= {f"{key}.third{third}": value for key, value in probed(step, model, layer).items()}
            figures[f"heard_hours.third{third}"] = rounded(rows[-1]["heard_hours"])
            step.write(figures)
            third += 1
        time.sleep(POLL_SECONDS)
    if training.process.is_alive():
        training.process.terminate()
    training.process.join()


def layer_of(step: Step) -> int:
    """Return the layer that is probed and clustered: two thirds up, where phones are."""
    return max(1, round(2 * read_model_config(sizes(step)).num_hidden_layers / 3))


def bring(step: Step, model: Path, figures: dict[str, Figure]) -> None:
    """Put the model in half precision, with a card, where it is brought back from."""
    folder = step.work / "bring"
    for old in folder.glob("model*"):
        old.unlink()
    HubertModel.from_pretrained(model).half().save_pretrained(folder, max_shard_size=SHARD)
    shutil.copy(model / "preprocessor_config.json", folder)
    lines = [f"- {key}: {value}" for key, value in figures.items()]
    (folder / "README.md").write_text(CARD + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Pretrain for the time that is left, probe, and keep the model for the next iteration."""
    step = read_arguments(__doc__)
    tables = speech(step.work)
    iteration = next_iteration(step)
    fit_clusters(step, iteration, tables)
    updates = planned_updates(step, iteration, tables)
    training = Training(step, iteration, tables, "training", updates)
    figures: dict[str, Figure] = {"iteration": iteration.folder.name, "updates": updates}
    watch(step, training, updates, figures)
    if not (training.state.exists() or training.model.exists()):
        raise SystemExit("the pretraining ended before its first state was saved; its error is above.")
    row = pd.read_parquet(training.curves).iloc[-1] if training.curves.exists() else training.rows()[-1]
    figures |= {"done": int(row["update"]), "heard_hours": rounded(float(row["heard_hours"]))}
    figures["x_real_time"] = rounded(3600 * float(row["heard_hours"]) / float(row["seconds"]))
    figures["valid_accuracy"] = rounded(float(row["valid_accuracy"]))
    model = model_of(step, training, iteration.folder / "cut")
    step.write(figures)
    figures |= probed(step, model, layer_of(step))
    step.write(figures)
    shutil.copytree(model, iteration.folder / "model", dirs_exist_ok=True)
    bring(step, model, figures)
    if training.model.exists():
        (iteration.folder / "done.json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
