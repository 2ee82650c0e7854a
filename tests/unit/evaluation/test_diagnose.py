from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.settings import EVALUATE, match_settings
from helpers.tables import filled

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.evaluation.diagnose import diagnose
from unscribed.evaluation.tables import AnswerTable
from unscribed.frames import FrameWriter
from unscribed.tables import BoundaryTable, ManifestTable, ReferenceTable, RestartTable, VadTable

PHONES = ["<SIL>", "a", "b", "d"]
MATCH = match_settings(clusters=[3, 4], steps=10, warm_steps=10, segments_per_phone=2.0)
SEGMENT = 4  # frames; a phone has two segments


def _sentence(number: int) -> list[str]:
    """Twenty phones, no two equal side by side; most are followed by the next of the inventory."""
    rng = np.random.default_rng(number)
    steps = rng.choice([1, 2], 20, p=[0.8, 0.2])
    return [PHONES[1 + place] for place in np.cumsum(steps) % 3]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Thirty utterances in which each phone is a constant sound, cut into two segments on average; valid has one."""
    for split, count in (("train", 30), ("valid", 1)):
        _write_split(tmp_path, split, [f"{split}{number}" for number in range(count)])
    restarts = [(3, 0, 9.0, True), (4, 0, 2.5, True), (4, 1, 3.0, False)]
    RestartTable.from_rows(restarts).write(tmp_path / "match/objectives.parquet")
    write_lines(tmp_path / "phones.txt", PHONES)
    write_lines(tmp_path / "text.txt", [" ".join(_sentence(number)) for number in range(99, 160)])
    return tmp_path


def _write_split(folder: Path, split: str, names: list[str]) -> None:
    cuts = [np.random.default_rng(number).geometric(0.5, 20) for number in range(len(names))]
    edges = [SEGMENT * np.arange(1 + sum(cut)) for cut in cuts]
    starts = [SEGMENT / 100 * np.cumsum([0, *cut[:-1]]) for cut in cuts]
    seconds = [edge[-1] / 100 for edge in edges]
    said = [_sentence(number) for number in range(len(names))]
    with (
        FrameWriter(folder / f"pca/{split}.npy") as frames,
        FrameWriter(folder / f"segment/{split}.npy") as segments,
        FrameWriter(folder / f"match/{split}.npy", dtype="int32") as labels,
    ):
        for name, phones, cut in zip(names, said, cuts, strict=True):
            sounds = np.repeat(np.eye(4)[[PHONES.index(phone) for phone in phones]], cut, axis=0)
            frames.append(name, np.repeat(sounds, SEGMENT, axis=0))
            segments.append(name, sounds)
            labels.append(name, np.ones((len(sounds), 1)))
    BoundaryTable(utterance=names, boundaries_frames=edges).write(folder / f"segment/{split}.boundaries.parquet")
    filled(ManifestTable, utterance=names).write(folder / f"manifest/{split}.parquet")
    regions = {"starts_samples": [[0] for _ in names], "ends_samples": [[int(16000 * end)] for end in seconds]}
    filled(VadTable, utterance=names, **regions).write(folder / f"vad/{split}.parquet")
    rows = zip(names, names, said, starts, seconds, strict=True)
    ReferenceTable.from_rows(rows).write(folder / f"references/{split}.parquet")


def _run(corpus: Path, **changes: Any) -> dict[str, Any]:
    def both(pattern: str) -> list[str]:
        return [str(corpus / pattern.format(split)) for split in ("train", "valid")]

    arguments = {
        "references": both("references/{}.parquet"),
        "manifests": both("manifest/{}.parquet"),
        "vads": both("vad/{}.parquet"),
        "frames": both("pca/{}.npy"),
        "segments": both("segment/{}.npy"),
        "boundaries": both("segment/{}.boundaries.parquet"),
        "labels": corpus / "match/train.npy",
        "objectives": corpus / "match/objectives.parquet",
        "phones_text": corpus / "text.txt",
        "phones": corpus / "phones.txt",
        "match": MATCH,
        "settings": EVALUATE,
        "seed": 0,
        "hop_ms": 10.0,
        "sample_rate_hz": 16000,
        "threads": 1,
        "report": corpus / "evaluate/diagnose.json",
        "table": corpus / "evaluate/diagnose.parquet",
    }
    diagnose(**(arguments | changes))
    return read_json(corpus / "evaluate/diagnose.json")


def _rewrite(corpus: Path, split: str, **columns: Any) -> None:
    path = corpus / f"references/{split}.parquet"
    table = ReferenceTable.read(path)
    for name, value in columns.items():
        table[name] = [value] * len(table)
    ReferenceTable.from_frame(table).write(path)


@pytest.mark.filterwarnings("ignore")
def test_segments_and_true_boundaries(corpus: Path) -> None:
    values = _run(corpus)
    assert values["split"] == "train" and values["utterances"] == 30 and values["timed"]
    segments, true = values["segments"], values["true"]
    found = 20 * 30 * segments["segments_per_phone"]  # segments
    assert 1.8 < segments["segments_per_phone"] < 2.2 and segments["segments_per_second"] == pytest.approx(25)
    assert segments["recall"] == 1 and segments["precision"] == pytest.approx(19 * 30 / (found - 30))
    assert true["f1"] == 1 and true["segments_per_phone"] == 1
    for found in (segments, true):
        assert found["identifiable"] and found["oracle_loss"] < found["drawn_loss_lowest"]
        assert found["oracle_per"] == 0
    assert segments["found_objective"] == 2.5 and "found_loss" not in true
    table = AnswerTable.read(corpus / "evaluate/diagnose.parquet")
    assert table.groupby("segmentation", sort=False).size().to_dict() == {"segments": 8, "true": 7}
    assert not list((corpus / "evaluate").glob(".diagnose*"))


@pytest.mark.filterwarnings("ignore")
def test_references_without_times(corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    _rewrite(corpus, "train", starts_seconds=[], end_seconds=float("nan"))
    values = _run(corpus)
    assert not values["timed"] and "true" not in values and "f1" not in values["segments"]
    assert values["segments"]["oracle_per"] == 0 and values["segments"]["identifiable"]  # the alignment found them
    assert "references without times" in caplog.text


@pytest.mark.filterwarnings("ignore")
def test_valid_is_taken_if_train_has_no_phones(corpus: Path) -> None:
    _rewrite(corpus, "train", phones=[], starts_seconds=[], end_seconds=float("nan"))
    values = _run(corpus)
    assert values["split"] == "valid" and values["utterances"] == 1
    assert "found_loss" not in values["segments"]  # the matching labels train alone


def test_without_references_it_says_what_it_needs(corpus: Path) -> None:
    with pytest.raises(UserError, match=r"corpus\.folder\.transcripts is empty.*Name a TSV file"):
        _run(corpus, references=[], manifests=[], segments=[])
    for split in ("train", "valid"):
        _rewrite(corpus, split, phones=[], starts_seconds=[], end_seconds=float("nan"))
    with pytest.raises(UserError, match=r"references/valid\.parquet have no phones.*transcripts of the split train"):
        _run(corpus)
    assert not (corpus / "evaluate").exists()
