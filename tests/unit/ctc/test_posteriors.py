from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tones import RATE, SETTINGS, write_checkpoint, write_corpus

from unscribed.artifacts import read_json, read_metadata
from unscribed.ctc import posteriors as ctc
from unscribed.ctc.model import build, write_model
from unscribed.ctc.posteriors import ctc_greedy, ctc_log_probs
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.ssl.checkpoint import load
from unscribed.tables import VadTable, WordTable

VOCAB = ["<pad>", "|", "<unk>", "a", "b"]


def peaked(path: list[int], chances: list[float]) -> np.ndarray:
    """Log posteriors (T, V) with these probabilities on the path and the rest spread evenly."""
    found = np.tile((1 - np.array(chances)[:, None]) / (len(VOCAB) - 1), (1, len(VOCAB)))
    found[np.arange(len(path)), path] = chances
    return np.log(found)


def store(path: Path, units: str, **utterances: np.ndarray) -> Path:
    with FrameWriter(path, {"vocab": VOCAB, "units": units, "hop_ms": 20.0}, "float16") as writer:
        for name, frames in utterances.items():
            writer.append(name, frames)
    return path


def test_best_path_by_hand(tmp_path: Path) -> None:
    #      <pad> a    a    <pad> a    |    |    <pad> b    |    (word 1: a a, word 2: b)
    path = [0, 3, 3, 0, 3, 1, 1, 0, 4, 1]
    chances = [0.9, 0.8, 0.6, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.9]
    frames = peaked(path, chances)
    silence = peaked([0, 0], [0.9, 0.9])
    found = store(tmp_path / "found.npy", "letters", u=frames, silence=silence, short=np.zeros((0, len(VOCAB))))
    ctc_greedy(log_probs=found, words=tmp_path / "words.parquet")
    table = WordTable.by_utterance(tmp_path / "words.parquet")
    row = table.loc["u"]
    assert row.words.tolist() == ["aa", "b"] and row.nbest.tolist() == ["aa b"]
    assert (row.word_starts_frames.tolist(), row.word_frames.tolist()) == ([1, 8], [4, 1])
    assert row.word_confidences.tolist() == pytest.approx([(0.7 + 0.9) / 2, 0.5], abs=1e-3)
    assert row.nbest_scores.tolist() == pytest.approx([float(np.log(chances).sum())], abs=0.01)
    assert (row.frames, row.status, len(row.phones)) == (10, "ok", 0)
    assert (table.loc["silence"].status, len(table.loc["silence"].words)) == ("ok", 0)
    assert table.loc["short"].status == "no_path"
    assert read_metadata(tmp_path / "words.parquet")["hop_ms"] == 20.0


def test_phones_have_starts_and_no_words(tmp_path: Path) -> None:
    found = store(tmp_path / "found.npy", "phones", u=peaked([3, 3, 0, 4, 4], [0.9] * 5))
    ctc_greedy(log_probs=found, words=tmp_path / "words.parquet")
    row = WordTable.read(tmp_path / "words.parquet").iloc[0]
    assert row.phones.tolist() == ["a", "b"] and row.starts_frames.tolist() == [0, 3]
    assert len(row.words) == 0 and row.nbest.tolist() == [""]


def test_log_probs_of_batches_are_those_of_single_utterances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    paths = write_corpus(tmp_path / "audio", {"u3": "abcd", "u1": "ab", "u2": "abcdab", "u0": "c"})
    regions = VadTable.read(paths["vad"])
    regions["ends_samples"] = [*regions["ends_samples"][:3], [100]]  # less than a frame
    VadTable.from_frame(regions).write(paths["vad"])
    pretrained = load(write_checkpoint(tmp_path / "checkpoint"), RATE)
    network = build(pretrained, len(VOCAB), SETTINGS, 0)
    vocab = {symbol: number for number, symbol in enumerate(VOCAB)}
    write_model(tmp_path / "model", network, pretrained, vocab, "letters")
    about = {"model": tmp_path / "model", "manifest": paths["manifest"], "vad": paths["vad"], "units": "letters"}
    about |= {"settings": SETTINGS, "sample_rate_hz": RATE, "threads": 1}
    ctc_log_probs(**about, log_probs=tmp_path / "batches.npy")
    monkeypatch.setattr(ctc, "SORTED_AHEAD", 1)
    ctc_log_probs(**about, log_probs=tmp_path / "single.npy")
    batches, single = FrameStore(tmp_path / "batches.npy"), FrameStore(tmp_path / "single.npy")
    assert batches.utterances == ["u3", "u1", "u2", "u0"] and batches.metadata["vocab"] == VOCAB
    assert (batches.metadata["hop_ms"], batches.data.dtype) == (20.0, np.float16)
    assert np.diff(batches.offsets).tolist() == [19, 9, 29, 0]
    assert np.allclose(batches.data, single.data, atol=2e-3)
    assert np.allclose(np.exp(batches.data.astype(np.float32)).sum(axis=1), 1, atol=0.01)
    (tmp_path / "model/model.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match=r"model is missing or damaged .*: delete it and run the stage finetune"):
        ctc_log_probs(**about, log_probs=tmp_path / "none.npy")
    assert read_json(tmp_path / "model/vocab.json") == vocab
