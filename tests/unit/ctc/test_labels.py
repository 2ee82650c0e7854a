import json
import logging
from pathlib import Path

import numpy as np
import pytest
from helpers.tables import filled

from unscribed.corpora.layout import Reference
from unscribed.ctc.labels import few_labels, finetune_vocab
from unscribed.errors import UserError
from unscribed.tables import ManifestTable, PseudoLabelTable, ReferenceTable, VadTable


def corpus(folder: Path, seconds: dict[str, float], references: list[Reference]) -> dict[str, Path]:
    """Write manifest, vad and references of utterances with the given seconds of speech."""
    names = list(seconds)
    paths = {name: folder / f"{name}.parquet" for name in ("references", "manifest", "vad")}
    ReferenceTable.from_rows(references).write(paths["references"])
    filled(ManifestTable, utterance=names, path=[f"{name}.wav" for name in names]).write(paths["manifest"])
    filled(
        VadTable,
        utterance=names,
        starts_samples=[[0]] * len(names),
        ends_samples=[[int(16000 * value)] for value in seconds.values()],
        speech_seconds=seconds.values(),
    ).write(paths["vad"])
    return paths


def subset(paths: dict[str, Path], tmp_path: Path, hours: float | None, seed: int = 0, units: str = "letters"):
    labels = tmp_path / "labels.parquet"
    few_labels(**paths, hours=hours, seed=seed, units=units, language="en-us", subset=labels)
    return PseudoLabelTable.read(labels)


def test_rows_by_hand(tmp_path: Path) -> None:
    spoken = [
        Reference("b", "Tea, so!", ["<SIL>", "t", "iː", "s", "<SIL>"], [0.0, 0.1, 0.2, 0.3, 0.4], 0.5),
        Reference("a", "O'Neil"),
        Reference("silent", ""),
        Reference("rejected", "words"),
    ]
    paths = corpus(tmp_path, {"b": 1.0, "a": 2.0, "silent": 1.0, "untranscribed": 1.0}, spoken)
    table = subset(paths, tmp_path, None).set_index("utterance")
    assert list(table.reset_index().columns) == list(PseudoLabelTable.SCHEMA)
    assert table.index.tolist() == ["a", "b"]
    row = table.loc["b"]
    assert (row.path, row.words, row.confidence) == ("b.wav", "tea so", 1.0)
    assert "".join(row.letters) == "tea|so" and row.phones.tolist() == ["t", "iː", "s"]
    assert (row.starts_samples.tolist(), row.ends_samples.tolist()) == ([0], [16000])
    assert subset(paths, tmp_path, None, units="phones")["utterance"].tolist() == ["b"]  # a has no phones


def test_a_smaller_subset_is_part_of_a_larger_one(tmp_path: Path) -> None:
    lengths = np.random.default_rng(0).uniform(2, 6, 300)
    seconds = {f"u{number:03}": float(length) for number, length in enumerate(lengths)}
    paths = corpus(tmp_path, seconds, [Reference(name, "a") for name in seconds])
    hours = [30 / 3600, 120 / 3600, 600 / 3600]
    found = [set(subset(paths, tmp_path, value)["utterance"]) for value in hours]
    assert found[0] < found[1] < found[2]
    for names, value in zip(found, hours, strict=True):
        assert 3600 * value <= sum(seconds[name] for name in names) < 3600 * value + 6
    assert found[0] == set(subset(paths, tmp_path, hours[0])["utterance"])
    assert found[0] != set(subset(paths, tmp_path, hours[0], seed=1)["utterance"])


def test_bad_labels_are_named(tmp_path: Path) -> None:
    paths = corpus(tmp_path, {"a": 36.0, "b": 36.0}, [Reference("a", "x")])
    with pytest.raises(UserError, match=r"asks for 0\.167 h .* have only 0\.01 h: take a smaller subset, or all"):
        subset(paths, tmp_path, 1 / 6)
    with pytest.raises(UserError, match=r"words but no phones: set finetune\.units: letters"):
        subset(paths, tmp_path, None, units="phones")
    with pytest.raises(UserError, match=r"corpus\.folder\.transcripts is empty"):
        subset({**paths, "references": []}, tmp_path, None)
    with pytest.raises(UserError, match=r"no transcript for any utterance"):
        subset(corpus(tmp_path, {"a": 36.0}, [Reference("b", "x")]), tmp_path, None)
    with pytest.raises(UserError, match=r"manifest\.parquet has no column starts_samples: it is not a Pseudo"):
        finetune_vocab(train_labels=[paths["manifest"]], phones=[], units="letters", vocab=tmp_path / "vocab.json")


def test_vocabulary_is_the_union_of_the_languages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    vocab = tmp_path / "vocab.json"
    files = []
    for language, words in (("en", "so tea"), ("fr", "thé")):
        folder = tmp_path / language
        paths = corpus(folder, {"a": 1.0}, [Reference("a", words)])
        subset(paths, folder, None)
        files.append(folder / "labels.parquet")
    with caplog.at_level(logging.INFO):
        finetune_vocab(train_labels=files, phones=[], units="letters", vocab=vocab)
    symbols = ["<pad>", "|", "<unk>", "a", "e", "h", "o", "s", "t", "é"]
    assert json.loads(vocab.read_text()) == {symbol: number for number, symbol in enumerate(symbols)}
    assert "10 symbols" in caplog.text
    (tmp_path / "phones.txt").write_text("<SIL>\nə\nt\n")
    (tmp_path / "more.txt").write_text("<SIL>\nt\ny\n")
    finetune_vocab(
        train_labels=files, phones=[tmp_path / "phones.txt", tmp_path / "more.txt"], units="phones", vocab=vocab
    )
    assert json.loads(vocab.read_text()) == {"<pad>": 0, "ə": 1, "t": 2, "y": 3}
