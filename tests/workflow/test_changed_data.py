"""The user's files change between two runs: what depends on them is made again, and nothing else."""

import numpy as np
import pytest
import soundfile
from workflow_runs import rules, snakemake, write_config

RESULTS = "results/mine"
TARGETS = ["vad", f"{RESULTS}/normalize/text.txt", f"{RESULTS}/references/test.parquet"]
AUDIO = {"make_corpus", "manifest_split", "vad_split"}  # rules that may run if a recording changes
GATHERING = {"vad"}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Recordings of three splits, text and transcripts, after a first run."""
    folder = tmp_path_factory.mktemp("changing")
    (folder / "data/audio").mkdir(parents=True)
    for number in range(12):
        record(folder, f"r{number:02}", number)
    (folder / "data/text.txt").write_text("".join(f"some words of line {word}\n" for word in "abcdefghij" * 20))
    (folder / "data/said.tsv").write_text("".join(f"r{number:02}.wav\tsome words\n" for number in range(12)))
    files = {"audio": "data/audio", "text": "data/text.txt", "transcripts": "data/said.tsv"}
    corpus = {"name": "mine", "kind": "folder", "folder": {**files, "valid_fraction": 0.2, "test_fraction": 0.2}}
    write_config(folder, {"corpus": corpus, "gan": {"seeds": []}})
    first = rules(snakemake(folder, *TARGETS))
    assert first >= {*AUDIO, "make_text", "normalize", "make_references"}
    return folder


def record(folder, name, seed):
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 16000)
    soundfile.write(folder / f"data/audio/{name}.wav", samples, 16000)


def ran(folder):
    """The rules that the changes make run."""
    return rules(snakemake(folder, *TARGETS)) - GATHERING


def test_lines_added_to_the_text(own):
    with open(own / "data/text.txt", "a") as text:
        text.write("a line more\n")
    assert ran(own) == {"make_text", "normalize"}
    assert not ran(own)


def test_a_recording_that_is_replaced_by_one_of_its_size(own):
    record(own, "r00", 100)
    assert ran(own) == {*AUDIO, "make_references"}


def test_a_new_recording_and_a_deleted_one(own):
    record(own, "new", 101)
    (own / "data/audio/r01.wav").unlink()
    assert ran(own) == {*AUDIO, "make_references"}


def test_a_mended_transcript(own):
    said = (own / "data/said.tsv").read_text()
    (own / "data/said.tsv").write_text(said.replace("some words", "other words", 1))
    assert ran(own) == {"make_references"}


def test_hidden_files_are_none_of_ours(own):
    (own / "data/audio/.DS_Store").write_text("of a file manager")
    assert not ran(own)
