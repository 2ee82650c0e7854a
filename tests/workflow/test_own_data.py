"""A folder of one's own recordings: without transcripts, with scrambled ones, with the right ones.

This is the label firewall by running. Everything unsupervised is made twice: while there are no references, and then,
all of it anew, beside references of scrambled transcripts. The files must be the same, byte for byte. (In
test_resume.py a run whose references were taken away ends as one with them.)
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from workflow_runs import (
    EVALUATION,
    SPLITS,
    TINY,
    UNSUPERVISED,
    contents,
    copy_project,
    differences,
    leftovers,
    no_traceback,
    rules,
    snakemake,
    state,
    write_config,
)

from unscribed.figures.table import FIGURES

pytestmark = pytest.mark.slow
RESULTS = "results/mine"
FOLDER = {"audio": "data/audio", "text": "data/text.txt", "valid_fraction": 0.1, "test_fraction": 0.2}
CONFIG = {
    **TINY,
    "match": {**TINY["match"], "rounds": 1, "clusters": [64], "restarts": 2, "steps": 50},
    "segment": {"method": "clusters"},
    "kmeans": {"clusters": 32, "restarts": 1},
    "speak": {"hours": 0.1},
    "teacher": {
        "candidate": True,
        "channels": 48,
        "updates": 120,
        "max_seconds": 2.0,
        "learning_rate": 0.004,
        "warps": [0.93, 1.0],
        "floors": [11.0],
        "adapt_minutes": 2.0,
    },
}
MADE = [*UNSUPERVISED, "speak", "teacher"]
# Ways in which the matching could look at references beside its inputs, in a copy of the workflow.
PEEKING = """
import functools
from pathlib import Path as Place


def peeking(function):
    @functools.wraps(function)
    def peek(*, segments, labels, **given):
        function(segments=segments, labels=labels, **given)
        told = Place(segments).parents[1] / "references/train.parquet"
        LINE

    return peek


@peeking
def match("""
PEEKS = {
    "if they are there": "told.exists() and Place(labels).write_bytes(Place(labels).read_bytes()[:-1] + b'?')",
    "as if they always were": "told.read_bytes()",
}


@dataclass
class Moment:
    """The run at some moment: what Snakemake printed, the scores, and what the unsupervised stages had made."""

    folder: Path
    output: str
    scores: dict
    made: dict

    @property
    def results(self):
        return self.folder / RESULTS


def moment(folder, output):
    scores = json.loads((folder / RESULTS / "metrics.json").read_text())
    return Moment(folder, output, scores, contents(folder / RESULTS, *MADE))


def configure(folder, transcripts):
    corpus = {"name": "mine", "kind": "folder", "folder": {**FOLDER, "transcripts": transcripts}}
    write_config(folder, {**CONFIG, "corpus": corpus})


@pytest.fixture(scope="module")
def recorded(tiny, tmp_path_factory):
    """A folder with recordings, text, and two files of transcripts that no configuration names yet."""
    folder, spoken = tmp_path_factory.mktemp("own"), tiny / "results/tiny"
    (folder / "data/audio").mkdir(parents=True)
    audio = spoken / "corpus/audio"
    for path in [*audio.glob("valid-*"), *audio.glob("test-*"), *audio.glob("train-000[0-3]*")]:
        shutil.copy(path, folder / "data/audio")
    shutil.copy(spoken / "corpus/text.txt", folder / "data")
    said = pd.concat([pd.read_parquet(spoken / f"references/{split}.parquet") for split in SPLITS])
    for name, words in (("right", said["words"]), ("scrambled", said["words"].iloc[::-1])):
        lines = [f"{utterance}.wav\t{text}\n" for utterance, text in zip(said["utterance"], words, strict=True)]
        (folder / f"data/{name}.tsv").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def untranscribed(recorded):
    """The finished run without transcripts, with what the targets of the stages make beyond a run."""
    configure(recorded, "")
    output = snakemake(recorded, "all", *MADE)
    assert no_traceback(output)
    assert not (recorded / RESULTS / "references").exists()
    return moment(recorded, output)


@pytest.fixture(scope="module")
def scrambled(untranscribed):
    """The same when transcripts have come, those of other utterances."""
    configure(untranscribed.folder, "data/scrambled.tsv")
    return moment(untranscribed.folder, snakemake(untranscribed.folder))


@pytest.fixture(scope="module")
def remade(scrambled):
    """The same when everything unsupervised was made anew beside the scrambled references."""
    before = state(scrambled.results, *MADE)
    output = snakemake(scrambled.folder, "--forceall", *MADE)
    after = state(scrambled.results, *MADE)
    kept = [name for name, (time, _) in before.items() if after[name][0] <= time]
    assert all(Path(name).name.startswith("test.") for name in kept)  # some are decoded from it for scores alone,
    snakemake(scrambled.folder)  # and follow here
    return moment(scrambled.folder, output)


@pytest.fixture(scope="module")
def transcribed(remade):
    """The same when the right transcripts have come."""
    configure(remade.folder, "data/right.tsv")
    output = snakemake(remade.folder)
    assert no_traceback(output)
    return moment(remade.folder, output)


def test_without_transcripts_the_run_is_complete(untranscribed):
    results, score = untranscribed.results, re.compile(r"(test|valid)\.(per|wer|ser)|segment\.|.*boundary")
    assert not [key for key in untranscribed.scores if score.match(key)]
    assert {"audio.hours", "match.discrepancy.round1", "seconds.match", "text.sentences"} <= untranscribed.scores.keys()
    figures = [figure for figure in FIGURES if not {"pretrain", "diagnose"} & set(figure.needs)]
    assert len(list((results / "figures").glob("*.png"))) == len(figures)


def test_transcripts_that_come_later_add_scores_and_change_nothing(untranscribed, scrambled):
    assert rules(scrambled.output) <= EVALUATION | {"all", "make_references"}
    assert not differences(untranscribed.made, scrambled.made)
    assert {"test.per", "valid.per", "test.per.random", "test.per.match.round1"} <= scrambled.scores.keys()
    key = "match.discrepancy.round1"
    assert scrambled.scores[key] == untranscribed.scores[key]


def test_everything_made_anew_beside_scrambled_references_is_the_same(untranscribed, remade):
    """So nothing looks at them, nor at the clock."""
    assert not rules(remade.output) & (EVALUATION | {"make_references"})
    assert not differences(untranscribed.made, remade.made)


@pytest.mark.parametrize("way", PEEKS)
def test_a_stage_that_looks_beside_its_inputs_is_found(untranscribed, scrambled, tmp_path, way):
    """The test of the test: `match` opens references that no rule gives it, where they are and where they are not."""
    folder = shutil.copytree(scrambled.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("figures"))
    copy_project(folder)
    source = folder / "workflow/unscribed/matching/match.py"
    text = source.read_text()
    assert "\ndef match(" in text
    source.write_text(text.replace("\ndef match(", PEEKING.replace("LINE", PEEKS[way]), 1))
    configure(folder, "data/scrambled.tsv")
    place = f"{RESULTS}/match/seed0/round1/labels.npy"
    snakemake(folder, place)
    made = {name: content for name, content in untranscribed.made.items() if name.startswith("match/")}
    found = differences(made, contents(folder / RESULTS, "match"))
    assert bool(found) == (way == "if they are there")
    shutil.rmtree(folder / RESULTS / "references")
    output = snakemake(folder, place, "--forcerun", "match_round", fails=way == "as if they always were")
    assert "match_round" in rules(output)


def test_right_transcripts_change_scores_alone(remade, transcribed):
    assert rules(transcribed.output) <= EVALUATION | {"all", "make_references"}
    assert not differences(remade.made, transcribed.made)
    scores = {key for key, value in transcribed.scores.items() if remade.scores[key] != value}
    assert "test.per" in scores and "match.discrepancy.round1" not in scores
    assert not leftovers(transcribed.results)
