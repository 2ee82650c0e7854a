import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.settings import EVALUATE

from unscribed.artifacts import read_json, write_json, write_lines
from unscribed.errors import UserError
from unscribed.evaluation.metrics import by_round, evaluate
from unscribed.evaluation.tables import ConfusionTable, RoundTable, UtteranceTable
from unscribed.selection.select import CandidateTable
from unscribed.tables import ReferenceTable


def run_evaluate(run: Any, **changes: Any) -> dict[str, float]:
    arguments = {
        "decoded": run.paths("decode/*.parquet"),
        "round_decodes": run.paths("decode/seed*/round*/test.parquet"),
        "round_discrepancies": run.paths("resegment/seed*/round*/discrepancy.json"),
        "references": run.paths("references/*.parquet"),
        "manifests": [run.path("manifest/test.parquet"), run.path("manifest/valid.parquet")],
        "rejected": run.paths("manifest/*.rejected.parquet"),
        "benchmarks": run.path("benchmarks"),
        "candidates": run.path("candidates.parquet"),
        "phones": run.path("phones.txt"),
        "boundaries": run.path("segment/test.boundaries.parquet"),
        "vad": run.path("vad/test.parquet"),
        "text": run.path("text.txt"),
        "sentences": run.path("sentences.parquet"),
        "lexicon": run.path("lexicon.txt"),
        "phone_lm_reports": run.paths("phone_lm/*.json"),
        "word_lm_report": run.path("word_lm/report.json"),
        "verdict": run.path("verdict.json"),
        **{name: run.path(f"evaluate/{name}.parquet") for name in ("confusions", "utterances", "rounds")},
        "metrics": run.path("metrics.json"),
        "settings": EVALUATE,
        "hop_ms": 10.0,
        "sample_rate_hz": 16000,
    }
    evaluate(**(arguments | changes))
    return read_json(arguments["metrics"])


LABEL_FREE = {
    "verdict.score": 0.5,
    "verdict.edits": 0.1,
    "match.discrepancy.round1": 2.0,
    "match.discrepancy.round2": 1.0,
    "match.discrepancy.seed0": 1.0,
    "match.discrepancy.seed1": 1.2,
    "audio.hours": (0.8 + 1.5 + 1.0) / 3600,
    "audio.utterances.test": 2,
    "audio.utterances.valid": 1,
    "audio.rejected.test": 1,
    "audio.rejected.valid": 0,
    "text.sentences": 3,
    "text.words": 2,
    "text.dropped": 1,
    "phone_lm.3.perplexity": 6.5,
    "word_lm.perplexity": 120,
    "word_lm.oov_rate": 0.02,
    "seconds.match": 30.5,
    "memory_mb.match": 300,
    "seconds.vad": 0.5,
}


def test_every_number_by_hand(finished: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        metrics = run_evaluate(finished)
    assert "1 reference phones (c: 1) are not in the text's inventory" in caplog.text
    chance = metrics.pop("test.per.random")
    assert 0.4 <= chance <= 1.2
    assert metrics.pop("test.per.unrelated") == pytest.approx(1.2) and metrics.pop("test.per.constant") == 0.8
    # u1: c -> d; u2: an a too many; 5 reference phones. The utterance without audio is not scored.
    assert metrics == pytest.approx(
        LABEL_FREE
        | {
            "valid.per": 0,
            "test.per": 0.4,
            "test.per.sub": 0.2,
            "test.per.ins": 0.2,
            "test.per.del": 0,
            "test.per.match.round1": 1,
            "test.per.match.round2": 0.4,
            "test.per.seed0": 0.4,
            "test.per.seed1": 0.2,
            # at 0.3, 0.45 and 1.2 s; reference 0.3, 0.5 and 1.2 s
            "segment.precision": 2 / 3,
            "segment.recall": 2 / 3,
            "segment.f1": 2 / 3,
            "segment.r_value": 1 - (1 / 3 + 1 / 3 / np.sqrt(2)) / 2,
            # at 0.3, 0.51, 1.18 and 1.4 s: frames 68 and 90 of u2 lie in its second region
            "decode.boundary_f1": 6 / 7,
        }
    )


def test_the_numbers_of_other_evaluations_are_taken_in(finished: Any) -> None:
    parts = [finished.path("evaluate/hmm.json"), finished.path("evaluate/words.json")]
    write_json(parts[0], {"test.per.hmm": 0.3})
    write_json(parts[1], {"test.wer": 0.2})
    metrics = run_evaluate(finished, parts=parts)
    assert (metrics["test.per"], metrics["test.per.hmm"], metrics["test.wer"]) == (0.4, 0.3, 0.2)


def test_tables(finished: Any) -> None:
    run_evaluate(finished)
    confusions = ConfusionTable.read(finished.path("evaluate/confusions.parquet"))
    pairs = {(reference, hypothesis): count for reference, hypothesis, count in confusions.values.tolist()}
    assert pairs == {("a", "a"): 1, ("b", "b"): 1, ("c", "d"): 1, ("n̩", "n̩"): 1, ("tʃ", "tʃ"): 1, ("", "a"): 1}
    utterances = UtteranceTable.read(finished.path("evaluate/utterances.parquet")).values.tolist()
    assert utterances == [["u1", "a b c", "a b d", 1, 3], ["u2", "n̩ tʃ", "n̩ tʃ a", 1, 2]]
    rounds = RoundTable.read(finished.path("evaluate/rounds.parquet"))
    assert rounds["selected"].tolist() == [True, True, False, False]
    assert rounds["discrepancy"].tolist() == [2.0, 1.0, 1.2, 2.5]
    assert rounds["per"].tolist() == pytest.approx([1, 0.4, 0.2, 1])


def test_the_best_scored_seed_is_shown_if_a_run_of_the_gan_was_chosen(finished: Any) -> None:
    rounds = [(*row[:-1], False) for row in finished.candidates]
    chosen = ("match gp0.1 sm0.05 div4 seed0", "gan", 1.0, 1.0, -50.0, np.e, np.e, -3.0, -3.0, True)
    finished.table("candidates.parquet", [*rounds, chosen], CandidateTable)
    metrics = run_evaluate(finished)
    assert RoundTable.read(finished.path("evaluate/rounds.parquet"))["selected"].tolist() == [False, False, True, True]
    assert (metrics["match.discrepancy.round1"], metrics["match.discrepancy.round2"]) == (1.2, 2.5)
    assert (metrics["test.per.match.round1"], metrics["test.per.match.round2"]) == pytest.approx((0.2, 1))
    assert metrics["match.discrepancy.seed0"] == 1.0 and metrics["test.per.seed0"] == pytest.approx(0.4)


def test_candidates_that_do_not_tell_their_seed_are_refused(finished: Any) -> None:
    finished.table("candidates.parquet", [("match", *finished.candidates[1][1:])], CandidateTable)
    with pytest.raises(ValueError, match="the candidate match has no seed<s>/round<k> in its name"):
        run_evaluate(finished)


def test_without_transcripts_only_label_free_numbers(finished: Any) -> None:
    assert run_evaluate(finished, references=[]) == pytest.approx(LABEL_FREE)
    utterances = UtteranceTable.read(finished.path("evaluate/utterances.parquet"))
    assert utterances["hypothesis"].tolist() == ["a b d", "n̩ tʃ a"]
    assert utterances["reference"].isna().all() and utterances["errors"].isna().all()
    assert len(ConfusionTable.read(finished.path("evaluate/confusions.parquet"))) == 0


def test_words_without_phones_are_not_scored(finished: Any, caplog: pytest.LogCaptureFixture) -> None:
    finished.table("references/test.parquet", [("u1", "words", [], [], np.nan)], ReferenceTable)
    with caplog.at_level(logging.WARNING):
        metrics = run_evaluate(finished)
    assert "test.per" not in metrics and metrics["valid.per"] == 0
    assert "2 of 2 utterances have no reference phones" in caplog.text


def test_phones_without_times_give_no_boundary_scores(finished: Any) -> None:
    finished.table("references/test.parquet", [("u1", "a b c", ["a", "b", "c"], [], np.nan)], ReferenceTable)
    metrics = run_evaluate(finished)
    assert metrics["test.per"] == pytest.approx(1 / 3)
    assert "segment.f1" not in metrics and "decode.boundary_f1" not in metrics


def test_references_of_other_utterances_are_refused(finished: Any) -> None:
    finished.table("references/test.parquet", [("other", "a", ["a"], [0.0], 0.1)], ReferenceTable)
    with pytest.raises(UserError, match=r"references/test\.parquet: none of its 1 utterances is in .*same files"):
        run_evaluate(finished)


def test_damaged_benchmark_is_named(finished: Any) -> None:
    write_lines(Path(finished.path("benchmarks/vad.test.tsv")), ["no", "table"])
    with pytest.raises(UserError, match=r"vad\.test\.tsv is not a benchmark file"):
        run_evaluate(finished)


def test_seed_and_round_are_read_from_the_path() -> None:
    assert by_round(["a/seed12/round3/test.parquet"]) == {(12, 3): "a/seed12/round3/test.parquet"}
    with pytest.raises(ValueError, match="the path has no seed<s>/round<k>/ in it"):
        by_round(["a/test.parquet"])
