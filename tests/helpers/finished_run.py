"""A finished run of two test utterances, small enough to score by hand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unscribed.artifacts import write_json, write_lines
from unscribed.selection.select import CandidateTable
from unscribed.tables import (
    BoundaryTable,
    ManifestTable,
    PhoneTable,
    ReferenceTable,
    RejectedTable,
    RestartTable,
    SentenceTable,
    Table,
    VadTable,
)
from unscribed.teacher.adapt import AdaptationTable
from unscribed.teacher.train import CurveTable

NONE = [("u1", [], [], 60), ("u2", [], [], 100)]
FINAL = [
    ("u1", ["<SIL>", "a", "b", "b", "d"], [0, 2, 20, 30, 41], 60),
    ("u2", ["n̩", "tʃ", "a"], [0, 68, 90], 100),
]
# By weighted perplexity the third would have been chosen, which has the most evidence and merit, too.
CANDIDATES = [
    ("match seed0/round1", "match", np.inf, 0.0, -np.inf, np.inf, np.inf, -np.inf, -np.inf, False),
    ("match seed0/round2", "match", 2.0, 1.0, -90.0, np.exp(2.0), np.exp(2.0), -3.2, -3.2, True),
    ("match seed1/round1", "match", 1.9, 1.0, -95.0, np.exp(1.9), np.exp(1.9), -3.1, -3.1, False),
    ("match seed1/round2", "match", 1.7, 0.5, -99.0, np.exp(1.7), 4 * np.exp(1.7), -3.4, -3.4, False),
]
BETTER = [("u1", ["a", "b", "c"], [0, 20, 40], 60), FINAL[1]]


@dataclass
class Run:
    """The files of the run, under `root`."""

    root: Path
    candidates = CANDIDATES
    better = BETTER

    def table(self, name: str, rows: list[tuple], kind: type[Table]) -> str:
        kind.from_rows(rows).write(self.root / name)
        return str(self.root / name)

    def paths(self, pattern: str) -> list[str]:
        return sorted(str(path) for path in self.root.glob(pattern))

    def path(self, name: str) -> str:
        return str(self.root / name)


@pytest.fixture
def finished(tmp_path: Path) -> Run:
    run = Run(tmp_path)
    _audio(run)
    run.table("references/valid.parquet", [("v1", "a", ["a"], [0.1], 0.2)], ReferenceTable)
    run.table(
        "references/test.parquet",
        [
            ("u1", "a b c", ["a", "b", "c"], [0.1, 0.3, 0.5], 0.7),
            ("u2", "button", ["n̩", "<SIL>", "tʃ"], [0.0, 0.5, 1.2], 1.5),
            ("rejected", "x", ["a", "b"], [0.0, 0.1], 0.2),
        ],
        ReferenceTable,
    )
    run.table("decode/valid.parquet", [("v1", ["a"], [0], 10)], PhoneTable)
    run.table("decode/test.parquet", FINAL, PhoneTable)
    for seed, number, decoded, discrepancy, restarts in (
        (0, 1, NONE, 2.0, [(8, 0, 9.0, True), (8, 1, 9.5, False), (16, 0, 3.0, False), (16, 1, 2.0, True)]),
        (0, 2, FINAL, 1.0, [(16, 0, 1.0, True), (16, 1, 1.5, False)]),
        (1, 1, BETTER, 1.2, [(16, 0, 1.2, True)]),
        (1, 2, NONE, 2.5, [(16, 0, 2.5, True)]),
    ):
        place = f"seed{seed}/round{number}"
        run.table(f"decode/{place}/test.parquet", decoded, PhoneTable)
        run.table(f"match/{place}/objectives.parquet", restarts, RestartTable)
        write_json(run.root / f"resegment/{place}/discrepancy.json", {"discrepancy": discrepancy})
    run.table("candidates.parquet", CANDIDATES, CandidateTable)
    run.table("segment/test.boundaries.parquet", [("u1", [0, 20, 35, 60]), ("u2", [0, 70, 100])], BoundaryTable)
    run.table("teacher/curves.parquet", [(500, 9.0, 2.0, 1.5, 0.6), (900, 18.0, 1.5, 1.2, 0.8)], CurveTable)
    run.table("teacher/adaptation.parquet", [(0.9, 11.0, 0.5, False), (1.0, 11.0, 0.6, True)], AdaptationTable)
    write_lines(run.root / "phones.txt", ["<SIL>", "a", "b", "d", "n̩", "tʃ"])
    write_lines(run.root / "text.txt", ["one", "two", "", "three", "4"])
    Path(run.path("lexicon.txt")).write_text("a a\nb b\n", encoding="utf-8")
    run.table("sentences.parquet", [(0, ["one"], []), (1, ["two"], []), (3, ["three"], [])], SentenceTable)
    write_json(run.root / "phone_lm/3gram.json", {"order": 3, "perplexity": 6.5})
    write_json(run.path("verdict.json"), {"verdict": "doubtful", "figures": {"edits": {"value": 0.1}}})
    write_json(run.root / "word_lm/report.json", {"perplexity": 120.0, "oov_rate": 0.02})
    for name, seconds, memory in (
        ("seed0/round1/match", 10, 100),
        ("seed1/round1/match", 20.5, 300),
        ("vad.test", 0.5, "-"),
    ):
        write_lines(run.root / f"benchmarks/{name}.tsv", ["s\th:m:s\tmax_rss", f"{seconds}\t0:00:10\t{memory}"])
    return run


def _audio(run: Run) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for name, seconds in (("u1", 0.8), ("u2", 1.5)):
        path = run.path(f"{name}.wav")
        samples = int(16000 * seconds)
        soundfile.write(path, 0.1 * rng.standard_normal(samples), 16000)
        rows.append((name, path, 16000, 1, samples, seconds, 0.0))
    run.table("manifest/test.parquet", rows, ManifestTable)
    run.table("manifest/valid.parquet", [("v1", "v1.wav", 16000, 1, 16000, 1.0, 0.0)], ManifestTable)
    run.table("manifest/test.rejected.parquet", [("rejected", "rejected.wav", "is empty (0 bytes)")], RejectedTable)
    run.table("manifest/valid.rejected.parquet", [], RejectedTable)
    # u1: 60 frames from 0.1 s on; u2: 50 frames from 0 s on, 50 from 1 s on
    run.table(
        "vad/test.parquet", [("u1", [1600], [11200], 0.6, 0.8), ("u2", [0, 16000], [8000, 24000], 1.0, 1.5)], VadTable
    )
