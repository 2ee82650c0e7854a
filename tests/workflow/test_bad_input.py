"""Mistakes that users make, as they meet them: a message that names file or key, no traceback, nothing half-written."""

import re

import pandas as pd
import pytest
from workflow_runs import leftovers, no_traceback, noise, snakemake, write_config

FOLDER = {"audio": "data/audio", "text": "data/text.txt", "valid_fraction": 0.3, "test_fraction": 0.3}


@pytest.fixture
def own(tmp_path):
    """A corpus of one's own: twelve recordings of noise and a text."""
    for number in range(12):
        noise(tmp_path / f"data/audio/{number:02}.wav", seed=number)
    (tmp_path / "data/text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 20)
    return tmp_path


def configure(folder, **sections):
    config = {"corpus": {"name": "own", "kind": "folder", "folder": FOLDER}}
    write_config(folder, {**config, **sections})


def message(folder, *targets):
    """What the user reads when the workflow stops."""
    output = snakemake(folder, *targets, fails=True)
    assert no_traceback(output), output
    return output


def test_configuration_all_mistakes_at_once(own):
    configure(own, features={"hop": 10}, match={"restarts": "many"}, audio={"on_error": "ignore"})
    output = message(own)
    assert "3 mistakes in the configuration" in output
    assert "features.hop: unknown key; did you mean features.hop_ms?" in output
    assert "match.restarts: wanted a whole number, found the text 'many'" in output
    assert "audio.on_error: 'ignore' is not one of stop, skip" in output
    assert not (own / "results").exists()


def test_missing_audio_folder(own):
    configure(own, corpus={"name": "own", "kind": "folder", "folder": {**FOLDER, "audio": "data/speech"}})
    assert "corpus.folder.audio: data/speech does not exist" in message(own)
    assert not (own / "results").exists()


def test_a_language_that_espeak_lacks_leaves_the_teacher_out(own):
    """Text of phones needs no eSpeak NG; a teacher does. It is left out with one warning, and all else is planned."""
    corpus = {"name": "own", "kind": "folder", "language": "xx", "folder": FOLDER}
    (own / "data/text.txt").write_text("a i u k\n" * 20)
    phones = {"phonemize": {"backend": "phones"}, "silence": {"probability": 0.0}, "gan": {"seeds": []}}
    configure(own, corpus=corpus, **phones, teacher={"candidate": True})
    output = snakemake(own, "--dry-run")
    assert output.count("the teacher is left out and the rest runs") == 1
    assert "eSpeak NG has no language 'xx'" in output
    assert "rule select:" in output and "rule speak:" not in output and "rule teacher" not in output


def test_corpus_of_one_utterance(own):
    for path in sorted(own.glob("data/audio/*"))[1:]:
        path.unlink()
    configure(own)
    output = message(own, "vad")  # beside it the phonemes, which would find too little text first
    assert re.search(r"corpus\.folder: no recordings for .* \(of 1 files found\)", output)
    assert not list((own / "results").rglob("*.parquet"))


def test_damaged_recording(own):
    """It stops the workflow before anything is written; with `on_error: skip` it is left out and listed."""
    bad = own / "data/audio/05.wav"
    bad.write_bytes(b"RIFF, but no more than that")
    configure(own)
    output = message(own, "manifest", "--keep-going")
    assert str(bad) in output and "on_error: skip" in output
    assert str(bad) in output.rstrip().splitlines()[-1]  # what is wrong is the last thing on the screen
    written = [path.name for path in (own / "results/own/manifest").glob("*")]
    recordings = pd.read_parquet(own / "results/own/corpus/recordings.parquet").set_index("utterance")
    split = recordings.loc["05", "split"]
    assert sorted(written) == sorted(
        name
        for good in {"train", "valid", "test"} - {split}
        for name in (f"{good}.parquet", f"{good}.rejected.parquet")
    )

    configure(own, audio={"on_error": "skip"})
    output = snakemake(own, "manifest")
    assert str(bad) in output and no_traceback(output)
    manifest = pd.read_parquet(own / f"results/own/manifest/{split}.parquet")
    rejected = pd.read_parquet(own / f"results/own/manifest/{split}.rejected.parquet")
    assert rejected["utterance"].tolist() == ["05"] and rejected["path"].tolist() == [str(bad)]
    assert "05" not in manifest["utterance"].tolist()
    assert not leftovers(own / "results")


def test_text_in_a_script_without_phones(own):
    (own / "data/text.txt").write_text("быстрая лиса прыгает через собаку\n" * 20, encoding="utf-8")
    configure(own)
    output = message(own, "phonemize")
    assert "corpus.language" in output and "быстрая" in output and "LATIN" in output
    assert not list((own / "results/own").glob("phonemize/*"))
