"""Snakemake as users call it, in a process and a folder of its own, for all tests of the workflow."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import yaml

REPO = Path(__file__).parents[2]
AUDIO_STAGES = ["corpus", "manifest", "vad", "features", "kmeans", "pca", "segment"]
TEXT_STAGES = ["normalize", "phonemize", "silence", "lexicon", "phone_lm", "word_lm"]
HMM_STAGES = ["hmm", "words", "ctm", "textgrid", "pseudo_labels"]
UNSUPERVISED = [*AUDIO_STAGES, *TEXT_STAGES, "match", "acoustic", "resegment", "gan", "select", "decode", *HMM_STAGES]
STAGES = [*UNSUPERVISED, "evaluate"]
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


def command(*arguments, repo=REPO):
    return [sys.executable, "-m", "snakemake", "--snakefile", str(repo / "Snakefile"), *map(str, arguments)]


def snakemake(folder, *arguments, fails=False):
    """Run Snakemake in `folder` and return what it printed; fail if it does not end as expected."""
    done = subprocess.run(
        command(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
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
        run = subprocess.Popen(command(*arguments), cwd=folder, stdout=output, stderr=output, start_new_session=True)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not set(folder.glob(pattern)) - old:
                assert run.poll() is None and time.monotonic() < deadline, (folder / "output.txt").read_text()[-6000:]
                time.sleep(0.01)
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()


def graph(folder, *targets, repo=REPO):
    """All jobs that `targets` need, as written by graph_of_jobs.py, for the configuration in `folder`."""
    script = Path(__file__).with_name("graph_of_jobs.py")
    done = subprocess.run(
        [sys.executable, script, repo / "Snakefile", "config/config.yaml", *targets],
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
