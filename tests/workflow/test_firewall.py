"""The label firewall in the graph of jobs: nothing unsupervised depends on references.

By running, test_own_data.py and test_resume.py show it; among the modules, a contract of import-linter.
"""

import pytest
from workflow_runs import EVALUATION, STAGES, TINY, UNSUPERVISED, copy_project, graph, write_config

GATHERING = {"all", "figures", "diagnose"}  # targets: they only gather the outputs of the others
WRITERS = {"make_corpus", "make_references"}
READERS_OF_DATA = {
    *WRITERS,
    "make_text",
}  # their settings have the key of the transcripts, which is empty for make_text

DATASET = {"root": "data", "text": "data/text.txt"}
FOLDER = {"audio": "data/audio", "text": "data/text.txt", "transcripts": "data/transcripts.tsv"}
WITH_TARGETS = {"seeds": [0], "start": ["random"], "input": "frames", "residual": True, "auxiliary": 0.5}
WITH_REFERENCES = {
    "espeak": TINY,
    "several seeds": {**TINY, "match": {"seeds": [0, 1, 2], "rounds": 2}},
    "no gan": {**TINY, "gan": {"seeds": []}},
    "gan on frames": {**TINY, "gan": {"seeds": [0, 1], "start": ["random"], "input": "frames", "runs_per_job": 1}},
    "gan from the teacher": {**TINY, "gan": {"seeds": [0], "start": ["match", "teacher"]}},
    "gan that names clusters": {**TINY, "features": {"kind": "logmel"}, "gan": WITH_TARGETS},
    "clusters": {**TINY, "segment": {"method": "clusters", "rate_hz": 15}},
    "features of a checkpoint": {**TINY, "features": {"kind": "wav2vec", "checkpoint": "some/model"}},
    "folder": {"corpus": {"name": "a", "kind": "folder", "folder": FOLDER}},
    "librispeech": {"corpus": {"name": "a", "kind": "librispeech", "dataset": DATASET}},
    "timit": {
        "corpus": {"name": "a", "kind": "timit", "dataset": {"root": "data"}},
        "phonemize": {"backend": "phones"},
        "silence": {"probability": 0.0},
    },
    "commonvoice": {"corpus": {"name": "a", "kind": "commonvoice", "dataset": DATASET}},
    "asterisk": {"corpus": {"name": "a", "kind": "asterisk"}},
    "hibari": {"corpus": {"name": "a", "kind": "hibari"}},
}
NO_TRANSCRIPTS = {"corpus": {"name": "a", "kind": "folder", "folder": {**FOLDER, "transcripts": ""}}}
# Changes of the workflow that must be found: what is replaced, by what. Snakemake itself refuses an input or param that
# is no argument of the rule's function, so the leaks bear names as tables beside frame stores do.
MATCH = "rule match_round:\n    input:\n"
LEAKS = {
    "directly": (MATCH, MATCH + '        leak_index="<results>/references/train.parquet",\n'),
    "through another rule": (
        MATCH,
        """rule hint:
    input:
        "<results>/references/train.parquet",
    output:
        "<results>/hint.txt",
    shell:
        "cp {input} {output}"


"""
        + MATCH
        + '        leak_index="<results>/hint.txt",\n',
    ),
    "as a parameter": (
        "    params:\n",
        '    params:\n        hint_index="results/tiny/references/train.parquet",\n',
    ),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Everything that the configurations above name."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "data/audio").mkdir(parents=True)
    for name in ("text.txt", "transcripts.tsv"):
        (folder / "data" / name).write_text("words\n")
    return folder


def knowing(jobs):
    """Files that could know a reference: the references, what is made from them, what is made from that, and so on."""
    told = {name for job in jobs for name in job["input"] + job["output"] if "/references/" in name}
    before = -1
    while before < len(told):
        before = len(told)
        for job in jobs:
            if not told.isdisjoint(job["input"]):
                told |= {*job["output"], *job["log"], job["benchmark"]} - {None}
    return told


def may_read(job):
    """Whether the job's code has the reader of transcripts in it; figures have it, and what learns from transcripts."""
    draws_or_learns = job["rule"].endswith("_figure") or job["rule"].startswith(("finetune_", "ctc_", "supervised_"))
    return not draws_or_learns and any(name.endswith("unscribed/references.py") for name in job["input"])


def readers(jobs):
    """The rules with an input that could know a reference."""
    told = knowing(jobs)
    return {job["rule"] for job in jobs if not told.isdisjoint(job["input"])}


def check(jobs):
    """Fail if anything but evaluation, figures and the targets that gather them could know a reference."""
    assert readers(jobs) <= EVALUATION | GATHERING
    check_sides(jobs)


def check_sides(jobs):
    """Fail if a job could know references by its parameters or its code, or writes some that it should not."""
    for job in jobs:
        if job["rule"] not in EVALUATION | READERS_OF_DATA:
            assert "references" not in job["params"] and "transcripts" not in job["params"], job["rule"]
            assert not may_read(job), job["rule"]
        if job["rule"] not in WRITERS:
            assert not [name for name in job["output"] if "/references/" in name], job["rule"]


@pytest.mark.parametrize("name", WITH_REFERENCES)
def test_only_the_evaluation_depends_on_references(data, name):
    write_config(data, WITH_REFERENCES[name])
    jobs = graph(data, "all", "figures", "teacher", "diagnose", *STAGES)
    check(jobs)
    # the walk does follow references
    assert {"evaluate", "utterance_figure", "diagnose_corpus", "all"} <= readers(jobs)
    assert {"match_round", "select", "decode_split"} <= {job["rule"] for job in jobs}


def test_without_transcripts_there_are_no_references(data):
    write_config(data, NO_TRANSCRIPTS)
    jobs = graph(data, "all", "figures", "teacher", *STAGES)
    check(jobs)
    assert not readers(jobs) and "make_references" not in {job["rule"] for job in jobs}
    assert {job["rule"] for job in graph(data, "diagnose")} == {"diagnose_corpus", "diagnose_figure", "diagnose"}


def test_nothing_but_its_figure_needs_the_diagnosis(data):
    write_config(data, WITH_REFERENCES["espeak"])
    jobs = graph(data, "all", "figures", "teacher", "supervised", "diagnose", *STAGES)
    told = {name for job in jobs if job["rule"] == "diagnose_corpus" for name in job["output"]}
    assert {job["rule"] for job in jobs if not told.isdisjoint(job["input"])} == {"diagnose_figure", "diagnose"}


def test_unsupervised_targets_do_not_even_make_references(data):
    write_config(data, WITH_REFERENCES["folder"])
    jobs = graph(data, "teacher", *UNSUPERVISED)
    assert not [name for job in jobs for name in job["input"] + job["output"] if "/references/" in name]


def test_the_topline_stays_apart(data):
    """Everything made with transcripts lies below supervised/, and nothing else needs any of it."""
    write_config(data, WITH_REFERENCES["espeak"])
    jobs = graph(data, "all", "supervised", *STAGES)
    apart = {job["rule"] for job in jobs if any("/supervised/" in name for name in job["output"])}
    assert {"supervised_train", "supervised_align", "supervised_words", "hmm_tune"} <= apart
    for job in jobs:
        told = [name for name in job["input"] if "/supervised/" in name]
        assert not told or job["rule"] == "supervised" or all("/supervised/" in name for name in job["output"])
    check([job for job in jobs if not any("/supervised/" in name for name in job["output"] + job["input"])])


@pytest.mark.parametrize("way", LEAKS)
def test_a_leak_is_found(tmp_path, way):
    """The test of the test: copies of the workflow in which the matching gets to know the references."""
    copy_project(tmp_path)
    file = tmp_path / "workflow/rules/matching.smk"
    old, new = LEAKS[way]
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    write_config(tmp_path, TINY)
    jobs = graph(tmp_path, "all")
    if way != "as a parameter":
        assert {"match_round", "acoustic_round", "select", "decode_split"} <= readers(jobs)
    with pytest.raises(AssertionError):
        check(jobs)
