"""The stage `evaluate`: all metrics of one corpus in one flat metrics.json, and three tables for the figures.

It scores the matching and adds the metrics of `evaluate_select`, `evaluate_hmm` and `evaluate_words`. Without
references (a corpus with no transcripts) these four stages write the label-free metrics only.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from unscribed.artifacts import Pathlike, read_json
from unscribed.audio.times import TimeBase
from unscribed.errors import UserError
from unscribed.evaluation import per
from unscribed.evaluation.lm import lm_metrics
from unscribed.evaluation.scoring import (
    References,
    align_decoded,
    decoded_boundaries,
    decoded_phones,
    phone_rate,
    score_boundaries,
    scored_references,
    segment_boundaries,
)
from unscribed.evaluation.select import shown_candidate
from unscribed.evaluation.tables import RoundTable, error_shares, write_confusions, write_metrics, write_utterances
from unscribed.evaluation.verdict import verdict_metrics
from unscribed.selection.select import CandidateTable
from unscribed.tables import ManifestTable, PhoneTable, RejectedTable, VadTable
from unscribed.text.inventory import read_inventory
from unscribed.text.lines import read_lines

log = logging.getLogger(__name__)

Paths = Sequence[str]
Metrics = dict[str, float]
Round = tuple[int, int]  # seed, round


@dataclass(frozen=True)
class EvaluateSettings:
    """Section `evaluate` of the configuration."""

    tolerance_ms: float


def evaluate(
    *,
    decoded: Paths,
    round_decodes: Paths,
    round_discrepancies: Paths,
    candidates: Pathlike,
    phones: Pathlike,
    boundaries: Pathlike,
    vad: Pathlike,
    manifests: Paths,
    rejected: Paths,
    text: Pathlike,
    sentences: Pathlike,
    lexicon: Pathlike,
    phone_lm_reports: Paths,
    word_lm_report: Pathlike,
    benchmarks: Pathlike,
    metrics: Pathlike,
    confusions: Pathlike,
    utterances: Pathlike,
    rounds: Pathlike,
    settings: EvaluateSettings,
    hop_ms: float,
    sample_rate_hz: int,
    verdict: Pathlike,
    references: Paths = (),
    parts: Paths = (),
) -> None:
    """Score one corpus.

    Inputs, where the split of a path is its file name up to the first dot:
    - `decoded`, the final decodes of valid and test, and the `references` of these splits, if any;
    - `round_decodes` (test) and `round_discrepancies` (train) of all seeds and rounds, which are read from
      `seed<s>/round<k>` in the paths, and `candidates`, among which the stage select chose;
    - `boundaries` and `vad` of test, `manifests` and `rejected` of all splits;
    - `text` as given, the `sentences` left of it, its `lexicon`, and the reports of its language models;
    - `verdict`, whether the run has learned;
    - `benchmarks`, the folder with the times of all jobs; `parts`, metrics of other stages, which are written as well.
    Outputs: `metrics` (flat JSON); `confusions`, `utterances` and `rounds` (Parquet), all of the split test.
    Raises UserError if the references belong to other utterances.
    """
    manifest = by_split(manifests)
    decodes = {split: PhoneTable.read(path) for split, path in by_split(decoded).items()}
    known = {split: scored_references(path, manifest[split]) for split, path in by_split(references).items()}
    known = {split: found for split, found in known.items() if found.phones}
    if "test" not in known:
        log.warning("no reference phones for the split test: only label-free numbers are written")
    history = _history(round_decodes, round_discrepancies, known.get("test"), _shown_seed(candidates))
    values = {
        **_audio_metrics(manifests, rejected),
        **_text_metrics(text, sentences, lexicon),
        **lm_metrics(phone_lm_reports, word_lm_report),
        **_benchmark_metrics(benchmarks),
        **_history_metrics(history),
        **verdict_metrics(verdict),
    }
    values |= {f"{split}.per": phone_rate(found, decodes[split]) for split, found in known.items() if split in decodes}
    alignments: dict[str, per.Alignment] = {}
    if "test" in known:
        inventory = read_inventory(phones)
        alignments = align_decoded(known["test"], decodes["test"])
        times = TimeBase(VadTable.by_utterance(vad), hop_ms, sample_rate_hz)
        values |= _error_metrics(alignments, known["test"], decodes["test"], inventory)
        values |= _boundary_metrics(known["test"], boundaries, decodes["test"], times, settings.tolerance_ms / 1000)
    for part in parts:
        values |= read_json(part)
    write_metrics(metrics, values)
    write_confusions(confusions, alignments)
    write_utterances(utterances, alignments, decoded_phones(decodes["test"]))
    RoundTable.from_frame(history).write(rounds)


def by_split(paths: Paths) -> dict[str, str]:
    """Map each split to its path; the split is the file name up to the first dot."""
    return {Path(path).name.split(".")[0]: path for path in paths}


def by_round(paths: Paths) -> dict[Round, str]:
    """Map (seed, round) to the path that has `seed<s>/round<k>/` in it. Raises ValueError if a path has none."""
    found = {}
    for path in paths:
        match = re.search(r"seed(\d+)/round(\d+)/", str(path))
        if match is None:
            raise ValueError(f"{path}: the path has no seed<s>/round<k>/ in it")
        found[int(match[1]), int(match[2])] = path
    return found


def _shown_seed(candidates: Pathlike) -> int:
    """Find the seed whose rounds are shown: the chosen round's, or the best-scored round's if a GAN run was chosen."""
    name = shown_candidate(CandidateTable.read(candidates), "match")
    match = re.search(r"seed(\d+)/round\d+", name)
    if match is None:
        raise ValueError(f"{candidates}: the candidate {name} has no seed<s>/round<k> in its name")
    return int(match[1])


def _history(
    round_decodes: Paths, round_discrepancies: Paths, references: References | None, shown_seed: int
) -> pd.DataFrame:
    """Tabulate the rounds of all seeds: discrepancy of the phones from the text and PER of test, NaN if unknown."""
    decodes, discrepancies = by_round(round_decodes), by_round(round_discrepancies)
    rows = []
    for seed, number in sorted({*decodes, *discrepancies}):
        discrepancy = rate = float("nan")
        if (seed, number) in discrepancies:
            discrepancy = read_json(discrepancies[seed, number])["discrepancy"]
        if references and (seed, number) in decodes:
            rate = phone_rate(references, PhoneTable.read(decodes[seed, number]))
        rows.append((seed, number, seed == shown_seed, discrepancy, rate))
    return pd.DataFrame(rows, columns=list(RoundTable.SCHEMA))


def _history_metrics(history: pd.DataFrame) -> Metrics:
    """Compute metrics per round of the shown seed, and per seed at its round of lowest discrepancy."""
    lowest = history.groupby("seed")["discrepancy"].min()
    values: Metrics = {f"match.discrepancy.seed{seed}": value for seed, value in lowest.items()}
    for row in history[history["selected"]].itertuples():
        values[f"match.discrepancy.round{row.round}"] = row.discrepancy
        values[f"test.per.match.round{row.round}"] = row.per
    known = history.dropna(subset=["discrepancy", "per"])
    best = known.loc[known.groupby("seed")["discrepancy"].idxmin()].set_index("seed")["per"]
    return values | {f"test.per.seed{seed}": rate for seed, rate in best.items()}


def _error_metrics(
    alignments: dict[str, per.Alignment], references: References, decoded: pd.DataFrame, inventory: list[str]
) -> Metrics:
    per.unknown_phones(references.phones, inventory)
    return {
        **error_shares("test.per", alignments),
        "test.per.random": per.random_mapping_rate(references.phones, decoded_phones(decoded), inventory),
        "test.per.unrelated": per.unrelated_rate(references.phones, decoded_phones(decoded)),
        "test.per.constant": per.constant_rate(references.phones),
    }


def _boundary_metrics(
    references: References, boundaries: Pathlike, decoded: pd.DataFrame, times: TimeBase, tolerance: float
) -> Metrics:
    """Score boundaries of the first segmentation and of the final decode; empty if no reference times are known."""
    if not references.boundaries:
        return {}
    first = score_boundaries(references.boundaries, segment_boundaries(boundaries), times, tolerance)
    final = score_boundaries(references.boundaries, decoded_boundaries(decoded), times, tolerance)
    return {
        "segment.precision": first.precision,
        "segment.recall": first.recall,
        "segment.f1": first.f1,
        "segment.r_value": first.r_value,
        "decode.boundary_f1": final.f1,
    }


def _audio_metrics(manifests: Paths, rejected: Paths) -> Metrics:
    tables = {split: ManifestTable.read(path) for split, path in by_split(manifests).items()}
    return {
        "audio.hours": sum(float(table["duration_seconds"].sum()) for table in tables.values()) / 3600,
        **{f"audio.utterances.{split}": len(table) for split, table in tables.items()},
        **{f"audio.rejected.{split}": len(RejectedTable.read(path)) for split, path in by_split(rejected).items()},
    }


def _text_metrics(text: Pathlike, sentences: Pathlike, lexicon: Pathlike) -> Metrics:
    with open(text, encoding="utf-8") as lines:
        given = sum(1 for line in lines if line.strip())
    kept = pq.read_metadata(sentences).num_rows
    words = len({line.split(maxsplit=1)[0] for _, line in read_lines(lexicon)})
    return {"text.sentences": kept, "text.dropped": given - kept, "text.words": words}


def _benchmark_metrics(benchmarks: Pathlike) -> Metrics:
    """Read the seconds (summed over jobs) and peak memory (MB) of each stage, without the supervised topline's.

    Snakemake does not measure the memory of very short jobs.
    """
    values: Metrics = {}
    for path in sorted(Path(benchmarks).rglob("*.tsv")):
        if "supervised" in path.relative_to(benchmarks).parts:
            continue
        stage = path.name.split(".")[0]
        try:
            table = pd.read_csv(path, sep="\t")
            seconds, memory = (pd.to_numeric(table[name], errors="coerce") for name in ("s", "max_rss"))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path} is not a benchmark file ({error}): delete it and run its stage again.") from error
        values[f"seconds.{stage}"] = values.get(f"seconds.{stage}", 0.0) + float(seconds.sum())
        if memory.notna().any():
            values[f"memory_mb.{stage}"] = max(values.get(f"memory_mb.{stage}", 0.0), float(memory.max()))
    return values
