"""The label firewall: nothing unsupervised depends on references, in the graph of jobs and in what the jobs do."""

import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workflow_runs import REPO, STAGES, TINY, UNSUPERVISED, graph, leftovers, rules, snakemake, state, write_config

from unscribed.figures.table import FIGURES

EVALUATION = {"evaluate", "evaluate_select", "evaluate_hmm", "evaluate_words"}
EVALUATION |= {figure.rule for figure in FIGURES if figure.scored}
GATHERING = {"all", "figures"}  # targets: they only gather the outputs of the others
WRITERS = {"make_corpus", "make_references"}

DATASET = {"root": "data", "text": "data/text.txt"}
FOLDER = {"audio": "data/audio", "text": "data/text.txt", "transcripts": "data/transcripts.tsv"}
WITH_REFERENCES = {
    "espeak": TINY,
    "several seeds": {**TINY, "match": {"seeds": [0, 1, 2], "rounds": 2}},
    "no gan": {**TINY, "gan": {"seeds": []}},
    "gan on frames": {**TINY, "gan": {"seeds": [0, 1], "start": ["random"], "input": "frames", "runs_per_job": 1}},
    "clusters": {**TINY, "segment": {"method": "clusters"}},
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
# Changes of the workflow that must be found: what is replaced, by what, and the rule that then reads references.
MATCH = "rule match_round:\n    input:\n"
LEAKS = {
    "directly": (MATCH, MATCH + '        leak="<results>/references/train.parquet",\n'),
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
        + '        leak="<results>/hint.txt",\n',
    ),
    "as a parameter": (
        "    params:\n",
        '    params:\n        hint="results/tiny/references/train.parquet",\n',
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


def readers(jobs):
    """The rules with an input that could know a reference."""
    told = knowing(jobs)
    return {job["rule"] for job in jobs if not told.isdisjoint(job["input"])}


def check(jobs):
    """Fail if anything but evaluation, figures and the targets that gather them could know a reference."""
    assert readers(jobs) <= EVALUATION | GATHERING
    check_sides(jobs)


def check_sides(jobs):
    """Fail if a job could know references by its parameters, or writes some that it should not."""
    for job in jobs:
        if job["rule"] not in EVALUATION | WRITERS:
            assert "references" not in job["params"] and "transcripts" not in job["params"], job["rule"]
        if job["rule"] not in WRITERS:
            assert not [name for name in job["output"] if "/references/" in name], job["rule"]


@pytest.mark.parametrize("name", WITH_REFERENCES)
def test_only_the_evaluation_depends_on_references(data, name):
    write_config(data, WITH_REFERENCES[name])
    jobs = graph(data, "all", "figures", *STAGES)
    check(jobs)
    assert {"evaluate", "utterance_figure", "all"} <= readers(jobs)  # the walk does follow references
    assert {"match_round", "select", "decode_split"} <= {job["rule"] for job in jobs}


def test_without_transcripts_there_are_no_references(data):
    write_config(data, NO_TRANSCRIPTS)
    jobs = graph(data, "all", "figures", *STAGES)
    check(jobs)
    assert not readers(jobs) and "make_references" not in {job["rule"] for job in jobs}


def test_unsupervised_targets_do_not_even_make_references(data):
    write_config(data, WITH_REFERENCES["folder"])
    jobs = graph(data, *UNSUPERVISED)
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
    copy = tmp_path / "repo"
    for part in ("workflow", "resources", "envs"):
        shutil.copytree(REPO / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "Snakefile", copy)
    file = copy / "workflow/rules/matching.smk"
    old, new = LEAKS[way]
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    write_config(tmp_path, TINY)
    jobs = graph(tmp_path, "all", repo=copy)
    if way != "as a parameter":
        assert {"match_round", "acoustic_round", "select", "decode_split"} <= readers(jobs)
    with pytest.raises(AssertionError):
        check(jobs)


def unsupervised_state(folder):
    """Every file of the stages before the evaluation, with content and time."""
    (results,) = (folder / "results").iterdir()
    return state(results, *(stage for stage in UNSUPERVISED if (results / stage).is_dir()))


@pytest.mark.slow
def test_other_references_change_the_scores_and_nothing_else(tiny_copy):
    metrics = tiny_copy / "results/tiny/metrics.json"
    scores, made = json.loads(metrics.read_text()), unsupervised_state(tiny_copy)
    for split in ("train", "valid", "test"):
        path = tiny_copy / f"results/tiny/references/{split}.parquet"
        table = pq.read_table(path)
        scrambled = pa.array([row[::-1] for row in table["phones"].to_pylist()], table["phones"].type)
        pq.write_table(table.set_column(table.schema.get_field_index("phones"), "phones", scrambled), path)
    assert rules(snakemake(tiny_copy)) <= EVALUATION | {"all"}
    assert unsupervised_state(tiny_copy) == made
    changed = json.loads(metrics.read_text())
    assert changed["test.per"] > scores["test.per"] + 0.1
    assert changed["match.discrepancy.round1"] == scores["match.discrepancy.round1"]


@pytest.mark.slow
def test_own_data_without_and_then_with_transcripts(tiny, tmp_path):
    """The run without transcripts is complete, and transcripts that come later add scores and change nothing."""
    corpus = tiny / "results/tiny/corpus"
    (tmp_path / "data/audio").mkdir(parents=True)
    for path in [*corpus.glob("audio/valid-*"), *corpus.glob("audio/test-*"), *corpus.glob("audio/train-000[0-3]*")]:
        shutil.copy(path, tmp_path / "data/audio")
    shutil.copy(corpus / "text.txt", tmp_path / "data")
    config = {
        **TINY,
        "corpus": {
            "name": "mine",
            "kind": "folder",
            "folder": {**FOLDER, "transcripts": "", "valid_fraction": 0.1, "test_fraction": 0.2},
        },
        "match": {**TINY["match"], "rounds": 1, "clusters": [64], "restarts": 2, "steps": 50},
        "segment": {"method": "clusters"},
        "kmeans": {"clusters": 32, "restarts": 1},
    }
    write_config(tmp_path, config)
    snakemake(tmp_path)
    results = tmp_path / "results/mine"
    scores, made = json.loads((results / "metrics.json").read_text()), unsupervised_state(tmp_path)
    assert not (results / "references").exists()
    score = re.compile(r"(test|valid)\.(per|wer|ser)|segment\.|.*boundary")
    assert not [key for key in scores if score.match(key)]
    assert {"audio.hours", "match.discrepancy.round1", "seconds.match", "text.sentences"} <= scores.keys()
    assert len(list((results / "figures").glob("*.png"))) == len(
        [figure for figure in FIGURES if "pretrain" not in figure.needs]
    )

    with open(tmp_path / "data/transcripts.tsv", "w") as file:
        for split in ("train", "valid", "test"):
            for row in pq.read_table(tiny / f"results/tiny/references/{split}.parquet").to_pylist():
                file.write(f"{row['utterance']}.wav\t{row['words']}\n")
    config["corpus"]["folder"]["transcripts"] = FOLDER["transcripts"]
    write_config(tmp_path, config)
    assert rules(snakemake(tmp_path)) <= EVALUATION | {"all", "make_references"}
    assert unsupervised_state(tmp_path) == made
    scored = json.loads((results / "metrics.json").read_text())
    assert {"test.per", "valid.per", "test.per.random", "test.per.match.round1"} <= scored.keys()
    assert scored["match.discrepancy.round1"] == scores["match.discrepancy.round1"]
    assert not leftovers(results)
