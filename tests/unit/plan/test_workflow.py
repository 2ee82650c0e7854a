import subprocess
import sys

import pytest
from helpers.configurations import configuration

from unscribed.plan.workflow import Plan

LIGHT = """
import sys
import unscribed.config.load, unscribed.plan.snakemake_hooks, unscribed.plan.workflow
heavy = {"numpy", "pandas", "pyarrow", "torch", "scipy", "sklearn", "transformers", "matplotlib", "phonemizer"}
print(*sorted(heavy & set(sys.modules)))
"""


def test_every_snakemake_process_loads_it_so_it_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_rounds_and_runs_are_chosen_from_together() -> None:
    plan = Plan.from_config(configuration(match={"rounds": 2}, gan={"seeds": [0, 1]}))
    assert [candidate.kind for candidate in plan.candidates] == ["match", "match", "gan", "gan"]


def test_the_teacher_is_chosen_from_if_it_is_asked_for() -> None:
    plan = Plan.from_config(configuration(teacher={"candidate": True}, gan={"seeds": []}))
    assert (
        plan.candidates[-1].kind == "teacher"
        and plan.teacher.decoded("test") == "<results>/teacher/decode/test.parquet"
    )
    assert Plan.from_config(configuration()).teacher.decoded("test") == []
    assert plan.teacher.frames("test") == "<results>/teacher/frames/test.npy"
    hears = Plan.from_config(configuration(teacher={"candidate": True, "frames": "features"}, gan={"seeds": []}))
    assert hears.teacher.frames("test") == "<results>/features/test.npy"


@pytest.mark.parametrize(("language", "also"), [("xx", "eSpeak NG has no language 'xx'"), ("fr-fr", "")])
def test_a_text_that_cannot_be_spoken_leaves_the_teacher_out_and_says_why(language: str, also: str) -> None:
    sections = {"phonemize": {"backend": "phones"}, "teacher": {"candidate": True}}
    plan = Plan.from_config(configuration({"kind": "folder", "language": language}, **sections))
    assert "teacher" not in {candidate.kind for candidate in plan.candidates} and plan.teacher.decoded("test") == []
    assert "teacher.candidate: the teacher is left out" in plan.teacher.left_out and also in plan.teacher.left_out
    assert ("(corpus.language)" in plan.teacher.left_out) == (language == "xx")
    without = Plan.from_config(configuration({"kind": "folder", "language": language}))
    assert without.teacher.left_out is None
    letters = sections | {"phonemize": {"backend": "letters"}}
    plan = Plan.from_config(configuration({"kind": "folder", "language": language}, **letters))
    assert not plan.teacher.taken and "has phones by letters" in plan.teacher.left_out


def test_the_diagnosis_of_a_corpus_without_transcripts_needs_no_file() -> None:
    """So that it says at once what it needs."""
    found = Plan.from_config(configuration(match={"seeds": [5, 0]})).diagnosed
    assert found["labels"] == "<results>/match/seed5/round1/labels.npy" and len(found["references"]) == 2
    corpus = {"name": "a", "kind": "folder", "folder": {"audio": "a", "text": "t", "transcripts": ""}}
    without = Plan.from_config(configuration(corpus=corpus)).diagnosed
    assert without.keys() == found.keys() and not any(without.values())


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({}, False),
        ({"features": {"kind": "wav2vec", "checkpoint": "some/model"}}, False),
        ({"features": {"kind": "wav2vec", "checkpoint": "pretrain"}}, True),
        ({"finetune": {"labels": ["all"], "checkpoint": "pretrain"}}, True),
    ],
)
def test_the_model_of_the_stage_pretrain_serves_features_or_fine_tuning(sections: dict, wanted: bool) -> None:
    assert Plan.from_config(configuration(**sections)).pretrains == wanted
