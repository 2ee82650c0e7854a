from types import SimpleNamespace

import pytest
from helpers.configurations import configuration

from unscribed.plan.gan import GanPlan
from unscribed.plan.teacher import TeacherPlan


def gan(**values: object) -> GanPlan:
    return GanPlan.from_config(configuration(match={"seeds": [7, 0]}, gan=values))


# Two seeds with two settings are the runs 0 to 3; three of them fit into a job.
FOUR = gan(seeds=[0, 1], smoothness=[0.1, 0.2], runs_per_job=3)


def test_runs_share_jobs_in_their_order() -> None:
    assert [FOUR.job(run) for run in range(4)] == [0, 0, 0, 1] and FOUR.jobs == [0, 1]
    first, last = SimpleNamespace(job="0"), SimpleNamespace(job="1")
    assert FOUR.job_numbers(first) == [0, 1, 2] and FOUR.job_numbers(last) == [3]
    assert [(run["seed"], run["smoothness"]) for run in FOUR.job_runs(last)] == [(1, 0.2)]
    assert FOUR.model(SimpleNamespace(run="3")) == "<results>/gan/job1/{moment}.safetensors"


def test_phones_of_all_runs_at_some_moments() -> None:
    plan = gan(seeds=[0, 1])
    assert plan.phones(["start", "last"], ["test"]) == [
        "<results>/gan/run0/start/test.phones.parquet",
        "<results>/gan/run0/last/test.phones.parquet",
        "<results>/gan/run1/start/test.phones.parquet",
        "<results>/gan/run1/last/test.phones.parquet",
    ]


def test_every_run_is_a_candidate_at_its_best_moment() -> None:
    last = FOUR.candidates[3]
    assert last.name.startswith("match ") and last.name.endswith(" seed1") and last.kind == "gan"
    assert last.hypotheses == "<results>/gan/run3/best/{split}.phones.parquet"
    assert last.model == "<results>/gan/job1/best.safetensors"


def test_without_seeds_there_is_no_gan() -> None:
    plan = gan(seeds=[])
    assert plan.runs == plan.jobs == plan.candidates == []
    assert plan.phones(["best"], ["test"]) == [] and plan.labels == plan.starts == []


def test_warm_runs_take_the_labels_of_a_round_of_the_first_seed() -> None:
    plan = gan(match_round=2, start=["random", "match"])
    assert (plan.starts, plan.labels) == (["match"], ["<results>/decode/seed7/round2/train.parquet"])
    assert plan.cut_by == "<results>/decode/seed7/round2"
    assert gan(start=["random"]).labels == []


def test_runs_start_from_the_teacher_and_take_its_boundaries_though_it_is_no_candidate() -> None:
    plan = gan(start=["teacher", "match"])
    assert plan.starts == ["match", "teacher"] and plan.cut_by == "<results>/teacher/decode"
    assert plan.labels == ["<results>/decode/seed7/round1/train.parquet", "<results>/teacher/decode/train.parquet"]
    assert [run["start"] for run in plan.runs] == ["teacher", "match"] * 2


def test_no_run_starts_from_a_teacher_that_cannot_speak_the_text() -> None:
    config = configuration(phonemize={"backend": "phones"}, gan={"seeds": [0], "start": ["teacher", "match"]})
    assert [run["start"] for run in GanPlan.from_config(config).runs] == ["match"]
    assert TeacherPlan.from_config(config).left_out.startswith("gan.start: the teacher is left out and the rest runs")


@pytest.mark.parametrize(
    ("kind", "folder"),
    [("segments", "<results>/segment"), ("decoded", "<results>/gan/segments"), ("frames", "<results>/pca")],
)
def test_segments_have_boundaries_and_frames_have_none(kind: str, folder: str) -> None:
    plan = gan(input=kind)
    assert plan.folder == folder
    assert plan.boundaries("{split}") == ([] if kind == "frames" else f"{folder}/{{split}}.boundaries.parquet")


def test_targets_are_clusters_of_mfccs_whatever_the_features_are() -> None:
    learned = {"kind": "wav2vec", "checkpoint": "some/model"}
    for features, frames in (({}, "features"), (learned, "gan/mfcc"), ({"kind": "logmel"}, "gan/mfcc")):
        plan = GanPlan.from_config(configuration(features=features, gan={"auxiliary": 0.5}))
        assert plan.mfcc == f"<results>/{frames}/train.npy" and plan.targets == "<results>/gan/targets/train.npy"
    assert gan().targets == []
