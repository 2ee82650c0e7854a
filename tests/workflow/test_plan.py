"""Planning: style, every shipped configuration, both profiles, every stage as a target."""

import re
import shutil

import pytest
import yaml
from workflow_runs import REPO, STAGES, TINY, graph, snakemake, write_config

CORPORA = sorted(path.name for path in (REPO / "config/corpora").glob("*.yaml"))
ON_GPU = ("features", "pretrain", "teacher", "gan", "finetune", "transformer_lm")
MODELS = {
    "spectral": {},
    "learned": {
        "features": {"kind": "wav2vec", "checkpoint": "pretrain", "layer": 2, "shards": 2},
        "finetune": {"labels": ["10min", "pseudo"], "rounds": 2},
        "pretrain": {"spoken": True},
        "teacher": {"candidate": True, "frames": "features"},
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with the shipped configurations and everything they refer to."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(REPO / "config", folder / "config")
    for name in {name for path in CORPORA for name in named_data((REPO / "config/corpora" / path).read_text())}:
        path = folder / name
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("some words\n")
        else:
            path.mkdir(parents=True, exist_ok=True)
    return folder


def named_data(text):
    """What a ready-made configuration expects of the user: files and folders below `data`."""
    section = yaml.safe_load(text)["corpus"]
    settings = [value for value in section.values() if isinstance(value, dict)]
    values = [value for setting in settings for value in setting.values()]
    return [value for value in values if isinstance(value, str) and value.startswith("data/")]


def test_lint(data):
    assert "Congratulations" in snakemake(data, "--lint")


def test_demo_plans(data):
    output = snakemake(data, "--dry-run")
    assert "rule evaluate" in output and "results/demo/metrics.json" in output


@pytest.mark.parametrize("name", CORPORA)
def test_corpus_plans(data, name):
    config = data / "config/corpora" / name
    corpus = re.search(r"^  name: (\S+)", config.read_text(), re.MULTILINE)[1]
    output = snakemake(data, "--configfile", config, "--dry-run")
    assert "rule match_round" in output and f"results/{corpus}/metrics.json" in output


@pytest.mark.parametrize("option", ["--workflow-profile", "--profile"])
def test_slurm_profile_plans(data, option):
    output = snakemake(data, option, REPO / "profiles/slurm", "--dry-run")
    assert "slurm_partition=" in output and "rule match_round" in output


def needed(jobs, target):
    """The rules that the target's job needs, itself included."""
    found, waiting = set(), [number for number, job in enumerate(jobs) if job["rule"] == target]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += jobs[number]["needs"]
    return {jobs[number]["rule"] for number in found}


def test_every_stage_is_a_target(tmp_path):
    write_config(tmp_path, TINY)
    stages = [*STAGES, "speak", "teacher"]
    jobs = graph(tmp_path, "all", "figures", *stages)
    for stage in stages:
        made = {output for job in jobs if job["rule"] in needed(jobs, stage) for output in job["output"]}
        assert any(name.startswith(f"results/tiny/{stage}/") for name in made) or stage == "evaluate", stage
    assert needed(jobs, "segment").isdisjoint({"match_round", "normalize", "evaluate"})
    assert needed(jobs, "normalize") == {"normalize", "make_corpus"}


def test_more_rounds_go_on_from_those_that_are_there(tmp_path):
    """Jobs of the first rounds do not know how many follow, so raising match.rounds runs the new rounds alone."""

    def of_rounds(rounds):
        write_config(tmp_path, {**TINY, "match": {**TINY["match"], "rounds": rounds}})
        jobs = graph(tmp_path, "match", "acoustic", "resegment")
        found = {job["output"][0]: job for job in jobs if "/round" in "".join(job["output"])}
        return {name: (job["rule"], job["input"], job["params"]) for name, job in found.items()}

    two, four = of_rounds(2), of_rounds(4)
    assert len(two) == 6 and len(four) == 12
    assert {name: four[name] for name in two} == two


def test_more_steps_go_on_from_those_that_are_there(tmp_path):
    """What labels the audio for the next step, and what that step is, are no business of the steps before."""

    def of_steps(*kinds):
        steps = [{"features": kind, "gaussians": 10, "labels": labels} for kind, labels in kinds]
        write_config(tmp_path, {**TINY, "hmm": {**TINY["hmm"], "steps": steps}})
        found = {job["output"][0]: job for job in graph(tmp_path, "hmm") if "/step" in "".join(job["output"])}
        return {name: (job["rule"], job["input"], job["params"]) for name, job in found.items()}

    two = of_steps(("frames", "words"), ("lda", "words"))
    four = of_steps(("frames", "words"), ("lda", "words"), ("frames", "open"), ("lda", "phones"))
    assert {name: four.get(name) for name in two} == two


@pytest.mark.parametrize("name", MODELS)
def test_every_job_says_what_it_needs_and_keeps_a_log(data, tmp_path, name):
    """And what runs on a GPU, as all that can in the model `learned`, has its environment."""
    config = {**TINY, **MODELS[name]}
    targets = ["teacher", "pretrain", "finetune"] if name == "learned" else []
    if targets:
        config |= {section: {**config.get(section, {}), "device": "cuda"} for section in ON_GPU}
    write_config(tmp_path, config)
    shutil.copytree(data / "config/models", tmp_path / "config/models")
    jobs = [job for job in graph(tmp_path, "all", "figures", *STAGES, *targets) if not job["local"]]
    assert len({job["rule"] for job in jobs}) > 20
    for job in jobs:
        assert job["log"] and job["benchmark"], job["rule"]
        assert {"mem_mb", "runtime"} <= set(job["resources"]), job["rule"]
        assert all(name.startswith("results/tiny/") for name in job["output"] + job["log"]), job["rule"]
        assert job["environment"] == ("gpu.yaml" if job["gpus"] else "cpu.yaml"), job["rule"]
    assert {"pretrain_model", "gan_train", "teacher_train"} <= {
        job["rule"] for job in jobs if job["gpus"]
    } or not targets
    logs = [name for job in jobs for name in job["log"]]
    assert len(logs) == len(set(logs))


def test_every_rule_states_its_threads():
    """A rule without the keyword gets one thread, which a job's description does not tell from `threads: 1`."""
    for path in sorted((REPO / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^ *rule ?(?=\w*:)", path.read_text(), flags=re.MULTILINE)[1:]:
            name = block.split(":")[0]
            assert re.search(r"^ +threads: \d", block, re.MULTILINE) or path.name == "targets.smk", name
