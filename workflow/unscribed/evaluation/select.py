"""The stage `evaluate_select`: what choosing without labels costs, measured with labels afterwards."""

import logging
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import ClassVar

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.evaluation.scoring import References, phone_rate, scored_references
from unscribed.evaluation.tables import write_metrics
from unscribed.selection.select import CandidateTable
from unscribed.tables import REAL, PhoneTable
from unscribed.text.label_free import Score, choose

log = logging.getLogger(__name__)

MOMENT = re.compile(r"/run(\d+)/([a-z]+)/")  # in the path of a GAN decode: run, and `start` or `last` update


class ScoredTable(CandidateTable):
    """The candidates with their phone error rates on the split test, null where unknown."""

    SCHEMA: ClassVar = {**CandidateTable.SCHEMA, "per": REAL}


def evaluate_select(
    *,
    candidates: Pathlike,
    hypotheses: Sequence[str],
    moments: Sequence[str],
    manifest: Pathlike,
    metrics: Pathlike,
    scored: Pathlike,
    references: Sequence[str] = (),
) -> None:
    """Score every candidate on the test set, and compare the chosen one with the best.

    `hypotheses` are those of the `candidates`, in their order; `moments` those of the GAN's runs at their start and
    end, identified by `run<n>/<moment>/` in their paths; all are of test, as is `manifest`. `references` is a list
    with the one table of test, or empty. Outputs: `metrics` (flat JSON); `scored`, the candidates with `per` (Parquet;
    null if unknown).
    Raises UserError if the references belong to other utterances.
    """
    table = CandidateTable.read(candidates)
    known = scored_references(references[0], manifest) if references else None
    if known and not known.phones:
        known = None
    if known is None:
        log.warning("no reference phones for the split test: the regret of the choice is not known")
    table["per"] = [_rate(known, path) for _, path in zip(table["candidate"], hypotheses, strict=True)]
    values = {"select.candidates": len(table), **choice_metrics(table)}
    rates = dict(zip(hypotheses, table["per"], strict=True)) | {path: _rate(known, path) for path in moments}
    for path, rate in rates.items():
        if found := MOMENT.search(path):
            values[f"test.per.gan.run{found[1]}.{found[2]}"] = rate
    write_metrics(metrics, values)
    ScoredTable.from_frame(table).write(scored)


def choice_metrics(scored: pd.DataFrame) -> dict[str, float]:
    """Compute the lowest error rate of all candidates, and the regret: how far above it the choice is.

    For comparison also the regret of wav2vec-U's metric (section 3.3) and of fairseq's criterion, both of the
    candidates' own phones, and of our choice among candidates of one kind only, against the best of their kind. NaN
    where no rate is known.
    """
    lowest = scored["per"].min()
    kinds = {kind: rows for kind, rows in scored.groupby("kind") if np.isfinite(rows["nll"]).any()}
    return {
        **{
            f"select.{kind}.regret": rows.loc[rows["merit"].idxmax(), "per"] - rows["per"].min()
            for kind, rows in kinds.items()
        },
        "select.oracle.per": lowest,
        "select.regret": scored.loc[scored["chosen"].idxmax(), "per"] - lowest,
        "select.wav2vec_u.regret": scored["per"].iloc[_wav2vec_u_choice(scored)] - lowest,
        "select.fairseq.regret": scored.loc[scored["weighted_perplexity"].idxmin(), "per"] - lowest,
    }


def _wav2vec_u_choice(candidates: pd.DataFrame) -> int:
    """Find the row that wav2vec-U's metric would choose among these candidates."""
    rows = candidates[[field.name for field in fields(Score) if field.name in candidates]].to_dict("records")
    # `choose` reads the number of tokens only to skip candidates without phones, so 0 or 1 is enough
    return choose([Score(**row, tokens=int(np.isfinite(row["nll"])), sentences=1) for row in rows])


def shown_candidate(candidates: pd.DataFrame, kind: str) -> str:
    """Name the candidate that represents its kind (`match`, `gan`): the chosen one, else the best-scored one."""
    rows = candidates[candidates["kind"] == kind]
    place = rows["chosen"].idxmax() if rows["chosen"].any() else rows["merit"].idxmax()
    return rows.loc[place, "candidate"]


def _rate(references: References | None, decoded: Pathlike) -> float:
    return phone_rate(references, PhoneTable.read(decoded)) if references else float("nan")
