"""Rules that name a function get its sources and settings, and a clear message if they name what is not there."""

import ast

import pytest
from workflow_runs import REPO, graph, snakemake, write_config

from unscribed.calls import closure

SNAKEFILE = f"""
import sys

sys.path.insert(0, "{REPO}/workflow")
from unscribed.plan.snakemake_hooks import Section, link

rule kmeans:
    input:
        FEATURES="features.npy",
    output:
        centroids="kmeans.safetensors",
        index="kmeans.parquet",
    params:
        call="CALL",
        NAME=Section(SECTION),
        SEED=0,
    script:
        "call.py"

link(workflow)
"""
NAMES = {"CALL": "segmentation.kmeans:fit_kmeans", "NAME": "settings", "FEATURES": "features", "SEED": "seed"}
SECTION = {"clusters": 8, "iterations": 5, "restarts": 1, "max_frames": 100, "other": 3}


@pytest.fixture
def write(tmp_path):
    """Writes a workflow of one rule, which passes a section as an argument of a function."""

    def write(section=SECTION, **names):
        text = SNAKEFILE
        for name, value in {**NAMES, **names, "SECTION": repr(section)}.items():
            text = text.replace(name, value)
        (tmp_path / "Snakefile").write_text(text)
        (tmp_path / "features.npy").touch()
        write_config(tmp_path, {})
        return tmp_path

    return write


def test_a_rule_gets_the_sources_of_its_function_and_the_keys_that_it_takes(write):
    folder = write()
    (job,) = graph(folder, "kmeans")
    sources = {(folder / path).resolve() for path in job["input"]}
    assert sources == {folder / "features.npy", *closure("segmentation.kmeans")}
    assert ast.literal_eval(job["params"]) == {
        "call": "segmentation.kmeans:fit_kmeans",
        "settings": {"clusters": 8, "iterations": 5, "restarts": 1, "max_frames": 100},
        "seed": 0,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CALL": "segmentation.kmeans:fit"}, "rule kmeans: segmentation.kmeans:fit: there is no such function in"),
        ({"CALL": "segmentation.means:fit"}, "rule kmeans: segmentation.means:fit: there is no such function in"),
        (
            {"FEATURES": "frames"},
            "rule kmeans: segmentation.kmeans:fit_kmeans does not take frames; it takes centroids",
        ),
        ({"SEED": "index"}, "rule kmeans: segmentation.kmeans:fit_kmeans needs seed, which the rule does not give"),
        ({"NAME": "setings"}, "rule kmeans: segmentation.kmeans:fit_kmeans does not take setings"),
        (
            {"section": {name: value for name, value in SECTION.items() if name != "restarts"}},
            "segmentation.kmeans:fit_kmeans takes restarts in its settings, and the section has no such key",
        ),
    ],
    ids=["function", "module", "input", "missing argument", "param", "key"],
)
def test_what_a_rule_names_must_be_there(write, change, message):
    folder = write(**change)
    assert message in snakemake(folder, "--dry-run", fails=True)
