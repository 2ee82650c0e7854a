"""Stage diagnose: do the statistics of the text single out the right mapping of the units at all?

References give the oracle map of the units; its distance from the text is compared with that of phones drawn by lot and
of what the matching found. Nothing that learns without labels reads the outputs.
Dimensions: T frames, S segments, K units, V phones.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from unscribed.artifacts import Pathlike, write_json
from unscribed.audio.times import TimeBase
from unscribed.errors import UserError
from unscribed.evaluation.identifiability import Cut, Labels, answers, verdict
from unscribed.evaluation.metrics import EvaluateSettings, by_split
from unscribed.evaluation.oracle import align_units, frame_places
from unscribed.evaluation.per import spoken_phones
from unscribed.evaluation.scoring import References, score_boundaries, scored_references
from unscribed.evaluation.tables import AnswerTable
from unscribed.frames import FrameStore, FrameWriter
from unscribed.matching.match import segments_per_phone
from unscribed.matching.phone_text import MatchSettings, read_text
from unscribed.matching.statistics import Statistics, oversegment
from unscribed.references import read_references
from unscribed.segmentation.segment import runs, segment_means
from unscribed.segmentation.segment_clusters import cluster
from unscribed.tables import BoundaryTable, RestartTable, VadTable
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)

NEEDED = (
    "`snakemake diagnose` compares the units with what was said, so it needs transcripts of the split train or valid. "
    "Name a TSV file of them in corpus.folder.transcripts, or leave this target out."
)


@dataclass(frozen=True)
class Audio:
    """The split that is diagnosed: its references, PCA frames and segments, and the converter of its times."""

    split: str
    known: References
    reference_path: str
    pca: FrameStore
    segments: FrameStore
    times: TimeBase

    @property
    def names(self) -> list[str]:
        """The utterances with reference phones; if some have times, only those."""
        return [name for name in self.segments.utterances if name in (self.known.boundaries or self.known.phones)]

    def places(self) -> list[np.ndarray]:
        """Find the place of every frame of each utterance among its phones between two silences, by their times."""
        rows = read_references(self.reference_path).set_index("utterance").loc[self.names]
        lengths = dict(zip(self.pca.utterances, self.pca.lengths.tolist(), strict=True))
        places = []
        for row in rows.itertuples():
            times = self.times.frames(row.Index, [*row.starts_seconds, row.end_seconds])
            places.append(frame_places(times[:-1], times[-1], lengths[row.Index]))
        return places

    def units(self, edges: Sequence[np.ndarray], size: int, seed: int, folder: Path) -> list[np.ndarray]:
        """Cluster the mean PCA frames between `edges` as the matching does."""
        number = {name: place for place, name in enumerate(self.pca.utterances)}
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".diagnose.") as temporary:
            path = Path(temporary) / "segments.npy"
            with FrameWriter(path) as writer:
                for name, row in zip(self.names, edges, strict=True):
                    writer.append(name, segment_means(self.pca[number[name]], row))
            store = FrameStore(path)
            return _rows(cluster(store, size, seed), store, self.names)


def diagnose(
    *,
    references: Sequence[str],
    manifests: Sequence[str],
    vads: Sequence[str],
    frames: Sequence[str],
    segments: Sequence[str],
    boundaries: Sequence[str],
    labels: Pathlike | Sequence[str],
    objectives: Pathlike | Sequence[str],
    phones_text: Pathlike | Sequence[str],
    phones: Pathlike | Sequence[str],
    match: MatchSettings,
    settings: EvaluateSettings,
    seed: int,
    hop_ms: float,
    sample_rate_hz: int,
    threads: int,
    report: Pathlike,
    table: Pathlike,
) -> None:
    """Give the answers for the segments of the matching's first round and, where references have times, for true ones.

    The first six inputs are of train and valid, of which the first with reference phones is taken; `labels` and
    `objectives` are those of round 1, on train. Units are made anew as in the last pass of that round, with its `seed`.
    Without times, the phones of the references are aligned to the units (`oracle.align_units`), which flatters the
    oracle map a little. Outputs: `report` (JSON) and `table` (AnswerTable). Raises UserError without references.
    """
    if not references:
        raise UserError(f"corpus.folder.transcripts is empty. {NEEDED}")
    torch.set_num_threads(threads)
    split, known = _transcribed(references, manifests)
    times = TimeBase(VadTable.by_utterance(by_split(vads)[split]), hop_ms, sample_rate_hz)
    stores = [FrameStore(by_split(paths)[split]) for paths in (frames, segments)]
    audio = Audio(split, known, by_split(references)[split], *stores, times)
    said = {name: known.phones[name] for name in audio.names}
    edges = BoundaryTable.by_utterance(by_split(boundaries)[split], audio.names)["boundaries_frames"].tolist()
    inventory = read_inventory(phones)
    text, sentence_length = read_text(phones_text, inventory, match)
    stay = max(0.0, 1 - 1 / segments_per_phone(audio.segments, sentence_length, match))
    units = _rows(cluster(audio.segments, match.clusters[-1], seed), audio.segments, audio.names)
    cut = Cut("segments", oversegment(text, stay), inventory, said, edges, units)
    cuts = _with_phones(cut, oversegment(text, 0.0), audio, match.clusters[-1], seed, Path(table).parent)
    found = _found(labels, objectives, audio.names) if split == "train" else None
    values: dict[str, Any] = {"split": split, "utterances": len(said), "timed": bool(known.boundaries)}
    given = []
    for one, spoken in cuts:
        rows = answers(one, spoken, match, seed, found if one.name == "segments" else None)
        values[one.name] = _rates(one, audio, settings.tolerance_ms / 1000) | verdict(rows)
        _tell(one.name, values[one.name])
        given += rows
    AnswerTable.from_records(given).write(table)
    write_json(report, values)


def _transcribed(references: Sequence[str], manifests: Sequence[str]) -> tuple[str, References]:
    """Find the first split with reference phones. Raises UserError if none has any."""
    tables, accepted = by_split(references), by_split(manifests)
    for split, path in tables.items():
        known = scored_references(path, accepted[split])
        if known.phones:
            return split, known
    raise UserError(f"{' and '.join(references)} have no phones. {NEEDED}")


def _with_phones(
    cut: Cut, plain: Statistics, audio: Audio, size: int, seed: int, folder: Path
) -> list[tuple[Cut, list[np.ndarray]]]:
    """Pair `cut` with the phones of its frames; where references have times, add the cut at their boundaries.

    `plain` are the statistics of a text that is not over-segmented.
    """
    if not audio.known.boundaries:
        log.warning("references without times: their phones are aligned to the units, true boundaries are left out")
        aligned = align_units(cut.units, cut.numbers, (size, len(cut.inventory)))
        return [(cut, [np.repeat(row, np.diff(edges)) for row, edges in zip(aligned, cut.edges, strict=True)])]
    places = audio.places()
    spoken = [phones[row] for phones, row in zip(cut.numbers, places, strict=True)]
    edges = [runs(row) for row in places]
    units = audio.units(edges, size, seed, folder)
    return [(cut, spoken), (Cut("true", plain, cut.inventory, cut.said, edges, units), spoken)]


def _rows(values: np.ndarray, store: FrameStore, names: Sequence[str]) -> list[np.ndarray]:
    """Take the `values` (one per row of a store) of each utterance in `names`."""
    number = {name: place for place, name in enumerate(store.utterances)}
    return [values[store.offsets[number[name]] : store.offsets[number[name] + 1]] for name in names]


def _found(labels: Pathlike, objectives: Pathlike, names: Sequence[str]) -> tuple[Labels, float]:
    """Read the labels of the matching and the objective of its last pass."""
    store, table = FrameStore(labels), RestartTable.read(objectives)
    return _rows(store.data[:, 0], store, names), float(table[table["chosen"]]["objective"].iloc[-1])


def _rates(cut: Cut, audio: Audio, tolerance: float) -> dict[str, float]:
    """Count segments per second of speech and per phone, and score the boundaries where their true times are known."""
    seconds = sum(int(row[-1]) for row in cut.edges) * audio.times.hop_ms / 1000
    phones = sum(len(spoken_phones(row)) for row in cut.said.values())
    values = {"segments_per_second": cut.segments / seconds, "segments_per_phone": cut.segments / phones}
    if audio.known.boundaries:
        inner = {name: row[1:-1] for name, row in zip(audio.names, cut.edges, strict=True)}
        counts = score_boundaries(audio.known.boundaries, inner, audio.times, tolerance)
        values |= {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return values


def _tell(name: str, values: Mapping[str, Any]) -> None:
    log.info(
        "%s, %.1f a second: the oracle map (PER %.1f %%) is %.3f from the text, phones drawn by lot %.3f: %s",
        name,
        values["segments_per_second"],
        100 * values["oracle_per"],
        values["oracle_loss"],
        values["drawn_loss"],
        "identifiable" if values["identifiable"] else "NOT identifiable, more restarts cannot help",
    )
