"""A project that was moved or copied stays finished, and an edit of its code repeats just what is made of it."""

import re
import shutil

import pytest
from workflow_runs import command, completed, snakemake, state

pytestmark = pytest.mark.slow
DONE = "Nothing to be done"
# An edited module, and the rules whose functions are made of it.
EDITS = {
    "gan/losses.py": {"gan_train"},
    "figures/words.py": {"words_figure"},
    "matching/optimize.py": {"match_round"},
    "wfst/nbest.py": {"words_split", "recogniser"},
}


def test_a_copy_is_finished(tiny_copy):
    made = state(tiny_copy, "results")
    assert DONE in snakemake(tiny_copy)
    assert state(tiny_copy, "results") == made


def test_a_copy_is_finished_when_seen_from_elsewhere(tiny_copy, tmp_path):
    config = tiny_copy / "config/config.yaml"
    run = command(tiny_copy, "--directory", tiny_copy, "--configfile", config, "--dry-run")
    assert DONE in completed(run, tmp_path)


def test_results_apart_from_the_project_are_finished(tiny_copy, tmp_path):
    """They were made inside of it; now there is another folder between the two."""
    apart = tmp_path / "some/where"
    apart.mkdir(parents=True)
    for name in ("results", "config", ".snakemake"):
        shutil.move(tiny_copy / name, apart / name)
    assert DONE in completed(command(tiny_copy, "--dry-run"), apart)


def test_files_that_were_only_touched_repeat_nothing(tiny_copy):
    for path in (tiny_copy / "workflow/unscribed").rglob("*.py"):
        path.touch()
    assert DONE in snakemake(tiny_copy, "--dry-run")


@pytest.mark.parametrize("module", EDITS)
def test_an_edit_repeats_the_rules_that_are_made_of_it(tiny_copy, module):
    """What Snakemake gives as the reason is the edited file for these rules, for all others their results."""
    with open(tiny_copy / "workflow/unscribed" / module, "a") as file:
        file.write("# edited\n")
    reasons = snakemake(tiny_copy, "--dry-run").split("Reasons:")[1]
    assert set(re.search(r"updated input files:\s+(.*)", reasons)[1].split(", ")) == EDITS[module]
