"""Snakemake as users call it, in a process and a folder of its own, for all tests of the workflow."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import yaml

from unscribed.figures.table import FIGURES

REPO = Path(__file__).parents[2]
PROJECT = ["Snakefile", "workflow", "resources", "envs", "profiles"]  # what runs; `config` is written by each test
# One core each when pytest's workers run side by side, else all.
CORES = ["--cores", "1"] if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1 else []
AUDIO_STAGES = ["corpus", "manifest", "vad", "features", "kmeans", "pca", "segment"]
TEXT_STAGES = ["normalize", "phonemize", "silence", "lexicon", "phone_lm", "word_lm"]
HMM_STAGES = ["hmm", "words", "ctm", "textgrid", "pseudo_labels"]
UNSUPERVISED = [*AUDIO_STAGES, *TEXT_STAGES, "match", "acoustic", "resegment", "gan", "select", "decode", *HMM_STAGES]
STAGES = [*UNSUPERVISED, "evaluate"]
EVALUATION = {"evaluate", "evaluate_select", "evaluate_hmm", "evaluate_words", "diagnose_corpus", "page"}
EVALUATION |= {figure.rule for figure in FIGURES if figure.scored}
SPLITS = ["train", "valid", "test"]
RATE = 16000
PATIENCE_SECONDS = 300

# Small enough for a minute, large enough to learn: a quarter of an hour, a quarter of the usual work.
TINY = {
    "corpus": {
        "name": "tiny",
        "kind": "espeak",
        "espeak": {"train_hours": 0.25, "valid_utterances": 20, "test_utterances": 20, "text_sentences": 4000},
    },
    "phonemize": {"min_count": 10},
    "silence": {"probability": 0.0},
    "match": {"rounds": 2, "clusters": [64, 96], "restarts": 6, "steps": 250, "warm_restarts": 1, "warm_steps": 100},
    "acoustic": {"iterations": 1, "updates": 150, "batch_frames": 512, "hidden": 64},
    "gan": {
        "seeds": [0],
        "start": ["match", "random"],
        "updates": 20,
        "check_every": 10,
        "batch_size": 8,
        "discriminator_dims": 8,
        "discriminator_first": 4,
    },
    "hmm": {
        "steps": [
            {"features": "frames", "gaussians": 300, "labels": "words"},
            {"features": "lda", "gaussians": 400, "labels": "phones"},
        ],
        "iterations": 6,
        "realign": 2,
        "lm_weights": [20.0],
        "insertion_penalties": [0.0],
        "tune_utterances": 10,
    },
    "report": {"utterances": 1},
}


def write_config(folder, config):
    """Write the configuration where Snakemake looks for it when it runs in `folder`."""
    path = Path(folder) / "config/config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def copy_project(folder):
    """Copy what runs, as a user's clone, with the files' times: the jobs of its Snakefile run this copy's code."""
    for name in PROJECT:
        if (REPO / name).is_dir():
            shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(REPO / name, folder)


def snakefile(folder):
    """The workflow in `folder`; if there is none, the one that is tested."""
    return path if (path := Path(folder) / "Snakefile").exists() else REPO / "Snakefile"


def command(folder, *arguments):
    return [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile(folder)), *CORES, *map(str, arguments)]


def snakemake(folder, *arguments, fails=False):
    """Run Snakemake in `folder` and return what it printed; fail if it does not end as expected."""
    return completed(command(folder, *arguments), folder, fails)


def completed(arguments, folder, fails=False):
    """Run a process in `folder` and return what it printed; fail if it does not end as expected."""
    done = subprocess.run(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert (done.returncode != 0) == fails, done.stdout[-6000:]
    return done.stdout


def kill_when(folder, pattern, *arguments):
    """Start the workflow, wait until a file of the pattern appears in the results, and kill all its processes at once.

    The folder stays locked, as after a power cut.
    """
    pattern = f"results/*/{pattern}"
    old = set(folder.glob(pattern))  # of earlier kills
    with open(folder / "output.txt", "w") as output:
        run = subprocess.Popen(
            command(folder, *arguments), cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not set(folder.glob(pattern)) - old:
                assert run.poll() is None and time.monotonic() < deadline, (folder / "output.txt").read_text()[-6000:]
                time.sleep(0.01)
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()


def graph(folder, *targets):
    """All jobs that `targets` need, as written by graph_of_jobs.py, for workflow and configuration in `folder`."""
    script = Path(__file__).with_name("graph_of_jobs.py")
    done = subprocess.run(
        [sys.executable, script, snakefile(folder), "config/config.yaml", *targets],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return json.loads(done.stdout)


def rules(output):
    """The rules that Snakemake, by its output, ran or planned."""
    return set(re.findall(r"^(?:local)?rule (\w+):$", output, re.MULTILINE))


def state(folder, *names):
    """Content and time of every file below the folders `names` of `folder`."""
    files = sorted(path for name in names for path in (Path(folder) / name).rglob("*") if path.is_file())
    assert files
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def contents(folder, *names):
    """Content of every file below the folders `names` of `folder`, without the seconds that a training took."""
    found = {name: content for name, (_, content) in state(folder, *names).items()}
    for name in found:
        if name.endswith("/curves.parquet"):
            found[name] = pd.read_parquet(Path(folder) / name).drop(columns="seconds").to_csv()
    return found


def differences(before, after):
    """Names of the files whose `contents` differ, or that only one side has."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def leftovers(folder):
    """Temporary files and folders: their names start with a dot (as does Snakemake's mark in a folder it manages)."""
    return sorted(str(path) for path in Path(folder).rglob(".*") if path.name != ".snakemake_timestamp")


def noise(path, seconds=1.0, seed=0):
    """Write a short recording of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    soundfile.write(path, samples, RATE)
    return os.fspath(path)


def no_traceback(output):
    return "Traceback" not in output and "defect of the workflow" not in output
