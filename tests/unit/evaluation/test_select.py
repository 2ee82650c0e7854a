from typing import Any

import numpy as np
import pytest

from unscribed.artifacts import read_json
from unscribed.errors import UserError
from unscribed.evaluation.select import ScoredTable, evaluate_select, shown_candidate
from unscribed.selection.select import CandidateTable
from unscribed.tables import PhoneTable, ReferenceTable

GAN = ("random gp0.1 sm0.05 div4 seed0", "gan", 2.1, 1.0, -97.0, np.exp(2.1), np.exp(2.1), -3.3, -3.3, False)
SILENT = [("u1", ["<SIL>"], [0], 60), ("u2", [], [], 100)]
RIGHT = [("u1", ["a", "b", "c"], [0, 20, 40], 60), ("u2", ["n̩", "tʃ"], [0, 68], 100)]


def run_evaluate_select(run: Any, **changes: Any) -> dict[str, float]:
    """Rounds of 1, 0.4, 0.2 and 1 phone error rate; a run of the GAN, at first silent, then right, then as a round."""
    arguments = {
        "candidates": run.table("select/candidates.parquet", [*run.candidates, GAN], CandidateTable),
        "hypotheses": [
            *run.paths("decode/seed*/round*/test.parquet"),
            run.table("gan/run0/best/test.phones.parquet", RIGHT, PhoneTable),
        ],
        "moments": [
            run.table("gan/run0/start/test.phones.parquet", SILENT, PhoneTable),
            run.table("gan/run0/last/test.phones.parquet", run.better, PhoneTable),
        ],
        "references": run.paths("references/test.parquet"),
        "manifest": run.path("manifest/test.parquet"),
        "metrics": run.path("evaluate/select.json"),
        "scored": run.path("evaluate/candidates.parquet"),
    }
    evaluate_select(**(arguments | changes))
    return read_json(arguments["metrics"])


def test_every_number_by_hand(finished: Any) -> None:
    assert run_evaluate_select(finished) == pytest.approx(
        {
            "select.candidates": 5,
            "select.oracle.per": 0,
            "select.regret": 0.4,
            "select.fairseq.regret": 0.2,  # it would have taken seed 1, round 1
            "select.wav2vec_u.regret": 0.4,  # seed 0, round 2: the likeliest of those within reach of that round
            "select.match.regret": 0,
            "select.gan.regret": 0,
            "test.per.gan.run0.start": 1,
            "test.per.gan.run0.best": 0,
            "test.per.gan.run0.last": 0.2,
        }
    )
    scored = ScoredTable.read(finished.path("evaluate/candidates.parquet"))
    assert scored["per"].tolist() == pytest.approx([1, 0.4, 0.2, 1, 0])
    candidates = CandidateTable.read(finished.path("select/candidates.parquet"))
    assert scored.drop(columns="per").equals(candidates)


def test_without_gan(finished: Any) -> None:
    metrics = run_evaluate_select(
        finished,
        candidates=finished.path("candidates.parquet"),
        hypotheses=finished.paths("decode/seed*/round*/test.parquet"),
        moments=[],
    )
    assert metrics == pytest.approx(
        {
            "select.candidates": 4,
            "select.oracle.per": 0.2,
            "select.regret": 0.2,
            "select.fairseq.regret": 0,
            "select.wav2vec_u.regret": 0.2,
            "select.match.regret": 0,
        }
    )


@pytest.mark.parametrize("transcripts", ["none", "words alone"])
def test_without_reference_phones(finished: Any, transcripts: str) -> None:
    if transcripts == "none":
        metrics = run_evaluate_select(finished, references=[])
    else:
        row = ("u1", "a b c", [], [], np.nan)
        path = finished.table("references/test.parquet", [row], ReferenceTable)
        metrics = run_evaluate_select(finished, references=[path])
    assert metrics == {"select.candidates": 5}
    assert ScoredTable.read(finished.path("evaluate/candidates.parquet"))["per"].isna().all()


def test_references_of_other_utterances_are_refused(finished: Any) -> None:
    finished.table("references/test.parquet", [("other", "a", ["a"], [0.0], 0.1)], ReferenceTable)
    with pytest.raises(UserError, match=r"references/test\.parquet: none of its 1 utterances is in .*same files"):
        run_evaluate_select(finished)


def test_the_shown_candidate_of_each_kind(finished: Any) -> None:
    table = CandidateTable.read(finished.table("five.parquet", [*finished.candidates, GAN], CandidateTable))
    assert shown_candidate(table, "match") == "match seed0/round2"  # chosen, though another has more evidence
    assert shown_candidate(table, "gan") == GAN[0]
    table["chosen"] = table["kind"] == "gan"
    assert shown_candidate(table, "match") == "match seed1/round1"
