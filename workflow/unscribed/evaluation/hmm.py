"""The stage `evaluate_hmm`: edits and phone error rate after each step of self-training, and the errors of the last."""

import logging
from collections.abc import Sequence

from unscribed.artifacts import Pathlike, read_json
from unscribed.audio.times import TimeBase
from unscribed.evaluation.metrics import EvaluateSettings, Metrics
from unscribed.evaluation.per import Alignment, spoken_phones
from unscribed.evaluation.scoring import (
    align_decoded,
    decoded_boundaries,
    phone_rate,
    score_boundaries,
    scored_references,
)
from unscribed.evaluation.tables import error_shares, write_confusions, write_metrics
from unscribed.tables import PhoneTable, VadTable

log = logging.getLogger(__name__)


def evaluate_hmm(
    *,
    decodes: Sequence[str],
    weights: Sequence[str],
    manifest: Pathlike,
    vad: Pathlike,
    metrics: Pathlike,
    confusions: Pathlike,
    settings: EvaluateSettings,
    hop_ms: float,
    sample_rate_hz: int,
    references: Sequence[str] = (),
) -> None:
    """Score the test set as decoded after each HMM step; `decodes` are in the order of the steps, from 1.

    `weights` are what they were decoded with, and hold the label-free edits by which they were chosen. `references` is
    a list with the one table of test, or empty. Equal neighbours in a decode count as two phones, because an HMM
    separates them. Outputs: `metrics` (flat JSON) and the `confusions` of the last step (Parquet), empty without
    references. Raises UserError if the references belong to other utterances.
    """
    values: Metrics = {
        f"hmm.edit_rate.step{step}": read_json(path)["score"] for step, path in enumerate(weights, start=1)
    }
    alignments: dict[str, Alignment] = {}
    known = scored_references(references[0], manifest) if references else None
    if known and known.phones:
        tables = [PhoneTable.read(path) for path in decodes]
        rates = [phone_rate(known, table, spoken_phones) for table in tables]
        values |= {f"test.per.hmm.step{step}": rate for step, rate in enumerate(rates, start=1)}
        values["test.per.hmm"] = rates[-1]
        alignments = align_decoded(known, tables[-1], spoken_phones)
        values |= error_shares("test.per.hmm", alignments)
        if known.boundaries:
            times = TimeBase(VadTable.by_utterance(vad), hop_ms, sample_rate_hz)
            frames = decoded_boundaries(tables[-1], spoken_phones)
            counts = score_boundaries(known.boundaries, frames, times, settings.tolerance_ms / 1000)
            values["hmm.boundary_precision"] = counts.precision
            values["hmm.boundary_recall"] = counts.recall
            values["hmm.boundary_f1"] = counts.f1
            values["hmm.boundary_r_value"] = counts.r_value
    else:
        log.warning("no reference phones for the split test: the HMM steps are not scored")
    write_metrics(metrics, values)
    write_confusions(confusions, alignments)
