"""Rules that name a function get its sources and settings, and a clear message if they name what is not there."""

import ast
import subprocess

import pytest
from workflow_runs import REPO, command, graph, write_config

from unscribed.calls import closure

SNAKEFILE = f"""
import sys

sys.path.insert(0, "{REPO}/workflow")
from unscribed.plan.snakemake_hooks import Section, link

rule decode:
    output:
        "decoded.parquet"
    params:
        call="CALL",
        NAME=Section(SECTION),
        plain={{"lattice_beam": 1.0, "other": 2}},
    script:
        "call.py"

link(workflow)
"""
SECTION = {"lattice_beam": 5.0, "nbest": 10, "other": 3}


@pytest.fixture
def write(tmp_path):
    """Writes a workflow of one rule, which passes a section as an argument of a function."""

    def write(call="hmm.words:words", name="settings", section=SECTION):
        text = SNAKEFILE.replace("CALL", call).replace("NAME", name).replace("SECTION", repr(section))
        (tmp_path / "Snakefile").write_text(text)
        write_config(tmp_path, {})
        return tmp_path

    return write


def test_a_rule_gets_the_sources_of_its_function_and_the_keys_that_it_takes(write):
    folder = write()
    (job,) = graph(folder, "decode", repo=folder)
    assert {(folder / path).resolve() for path in job["input"]} == set(closure("hmm.words"))
    assert ast.literal_eval(job["params"]) == {
        "call": "hmm.words:words",
        "settings": {"lattice_beam": 5.0, "nbest": 10},
        "plain": {"lattice_beam": 1.0, "other": 2},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"call": "hmm.words:wordz"}, "rule decode: hmm.words:wordz: there is no such function in"),
        ({"call": "hmm.wordz:words"}, "rule decode: hmm.wordz:words: there is no such function in"),
        ({"name": "setings"}, "rule decode: hmm.words:words has no argument setings"),
        (
            {"section": {"lattice_beam": 5.0, "n_best": 10}},
            "rule decode: hmm.words:words takes nbest in its settings, and the section has no such key",
        ),
    ],
    ids=["function", "module", "argument", "key"],
)
def test_what_a_rule_names_must_be_there(write, change, message):
    folder = write(**change)
    done = subprocess.run(
        command("--dry-run", repo=folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode and message in done.stdout, done.stdout
