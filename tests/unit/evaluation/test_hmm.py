from typing import Any

import pytest
from helpers.settings import EVALUATE

from unscribed.artifacts import read_json
from unscribed.errors import UserError
from unscribed.evaluation.hmm import evaluate_hmm
from unscribed.evaluation.tables import ConfusionTable
from unscribed.tables import PhoneTable, ReferenceTable
from unscribed.wfst.weights import Weights, write_weights

NONE = [("u1", [], [], 60), ("u2", [], [], 100)]
# "b b" are two phones: an HMM tells them apart. u1 is "a b c", u2 "n̩ tʃ".
LAST = [
    ("u1", ["<SIL>", "a", "b", "b", "<SIL>"], [0, 2, 20, 40, 55], 60),
    ("u2", ["n̩", "tʃ", "a"], [0, 68, 90], 100),
]


def run_evaluate_hmm(run: Any, **changes: Any) -> dict[str, float]:
    decodes = [
        run.table("step1.parquet", NONE, PhoneTable),
        run.table("step2.parquet", LAST, PhoneTable),
    ]
    weights = [run.path(f"step{step}.json") for step in (1, 2)]
    for path, edits in zip(weights, (0.5, 0.125), strict=True):
        write_weights(path, Weights(lm_weight=7.0, insertion_penalty=0.0), edits)
    arguments = {
        "decodes": decodes,
        "weights": weights,
        "references": run.paths("references/test.parquet"),
        "manifest": run.path("manifest/test.parquet"),
        "vad": run.path("vad/test.parquet"),
        "metrics": run.path("evaluate/hmm.json"),
        "confusions": run.path("evaluate/hmm_confusions.parquet"),
        "settings": EVALUATE,
        "hop_ms": 10.0,
        "sample_rate_hz": 16000,
    }
    evaluate_hmm(**(arguments | changes))
    return read_json(arguments["metrics"])


def test_every_number_by_hand(finished: Any) -> None:
    assert run_evaluate_hmm(finished) == pytest.approx(
        {
            "hmm.edit_rate.step1": 0.5,
            "hmm.edit_rate.step2": 0.125,
            "test.per.hmm.step1": 1,
            "test.per.hmm.step2": 0.4,  # c -> b, an a too many; merged, "b b" would be a deletion
            "test.per.hmm": 0.4,
            "test.per.hmm.sub": 0.2,
            "test.per.hmm.ins": 0.2,
            "test.per.hmm.del": 0,
            # at 0.3, 0.5, 1.18 and 1.4 s; reference 0.3, 0.5 and 1.2 s
            "hmm.boundary_precision": 3 / 4,
            "hmm.boundary_recall": 1,
            "hmm.boundary_f1": 6 / 7,
            # recall 1, a third too many: 1 - (1/3 + 1/3 / √2) / 2
            "hmm.boundary_r_value": 1 - (1 / 3 + 1 / 3 / 2**0.5) / 2,
        }
    )
    confusions = ConfusionTable.read(finished.path("evaluate/hmm_confusions.parquet")).values.tolist()
    assert ["c", "b", 1] in confusions and ["", "a", 1] in confusions


def test_without_transcripts(finished: Any) -> None:
    assert set(run_evaluate_hmm(finished, references=[])) == {"hmm.edit_rate.step1", "hmm.edit_rate.step2"}
    assert not len(ConfusionTable.read(finished.path("evaluate/hmm_confusions.parquet")))


def test_references_of_other_utterances_are_refused(finished: Any) -> None:
    finished.table("references/test.parquet", [("other", "a", ["a"], [0.0], 0.1)], ReferenceTable)
    with pytest.raises(UserError, match=r"references/test\.parquet: none of its 1 utterances is in .*same files"):
        run_evaluate_hmm(finished)
