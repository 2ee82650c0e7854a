"""Killed in the middle of any long stage, a run goes on where it was and comes to the same end."""

import json

import pytest
from workflow_runs import (
    EVALUATION,
    TINY,
    UNSUPERVISED,
    contents,
    kill_when,
    leftovers,
    rules,
    snakemake,
    write_config,
)

from unscribed.figures.table import FIGURES

pytestmark = pytest.mark.slow
# Stage, what appears when its job is in the middle of its work, and an output that must not be there yet.
KILLS = [
    ("corpus", "corpus/.audio.*.tmp/train-00050.wav", "corpus/recordings.parquet"),
    ("features", "features/.train.npy.*.tmp", "features/train.npy"),
    ("match", "logs/match.seed0/round1.log", "match/seed0/round1/labels.npy"),
    ("acoustic", "logs/acoustic.seed0/round1.log", "acoustic/seed0/round1/model.safetensors"),
    ("resegment", "resegment/seed0/round1/.segments.npy.*.tmp", "resegment/seed0/round1/segments.npy"),
]


def numbers(results):
    """All metrics but those of time and memory."""
    metrics = json.loads((results / "metrics.json").read_text())
    return {key: value for key, value in metrics.items() if not key.startswith(("seconds.", "memory_mb."))}


def test_killed_runs_go_on_to_the_same_end(request, tmp_path):
    """One run, killed five times: also the proof that the same seed gives the same result in another folder.

    And the label firewall by running: after the corpus is made, its references are taken away, and all that is
    unsupervised ends as in the run that has them.
    """
    write_config(tmp_path, TINY)
    results = tmp_path / "results/tiny"
    for stage, middle, output in KILLS:
        kill_when(tmp_path, middle, *UNSUPERVISED)
        assert not (results / output).exists(), stage
        if stage == "corpus":  # a folder stays locked by a dead run; Snakemake says what to do about it
            assert "--unlock" in snakemake(tmp_path, *UNSUPERVISED, fails=True)
        snakemake(tmp_path, "--unlock")
        if stage == "features":
            (results / "references").rename(tmp_path / "hidden")
    snakemake(tmp_path, *UNSUPERVISED)
    assert not (results / "references").exists()
    (tmp_path / "hidden").rename(results / "references")
    scoring = EVALUATION | {figure.rule for figure in FIGURES} | {"decode_round", "gan_decode", "hmm_decode"}
    # And what decodes the split test for the scores; the recogniser is gathered by the target all alone.
    assert rules(snakemake(tmp_path)) <= scoring | {"all", "recogniser"}
    tiny = request.getfixturevalue("tiny")  # another worker may have made it in the meantime
    whole = tiny / "results/tiny"
    stages = [stage for stage in UNSUPERVISED if (whole / stage).is_dir()]
    made, wanted = contents(results, *stages), contents(whole, *stages)
    assert not [name for name in wanted if made.get(name) != wanted[name]]  # the targets make more, of other splits
    assert numbers(results) == numbers(whole)
    assert not leftovers(results)
