"""Stage vad: find the speech in every utterance, so that silence can be removed (wav2vec-U §4.1).

Each method marks cells of 10 to 32 ms as speech or not; `regions` turns the marks into ranges of samples.
Dimensions: N samples, M cells, R regions.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.audio import io
from unscribed.errors import UserError
from unscribed.parallel import log_speed, ordered_map
from unscribed.tables import ManifestTable, VadTable

log = logging.getLogger(__name__)

BLOCK_SECONDS = 0.0025  # unit of the energies, of which both cells and their surroundings are whole multiples
CELL_BLOCKS = 4  # the method energy marks cells of 10 ms …
SIDE_BLOCKS = 3  # … by the energy of 25 ms: the cell and 7.5 ms on either side
LOUD_PERCENTILE = 95  # of the cells' levels is the loud level; the maximum would follow a single click
FLOOR_DB = -80.0  # of full scale: quieter cells are never speech, however quiet the utterance
SILERO_CELL = {8000: 256, 16000: 512}  # sampling rate in Hz to the samples of a cell, fixed by the model
SILERO_BATCH = 64  # utterances at once: more are faster, but need memory for the longest of them times their number


@dataclass(frozen=True)
class VadSettings:
    """Section `vad` of the configuration."""

    method: str
    threshold_db: float
    min_silence_ms: int
    margin_ms: int


def vad(*, manifest: Pathlike, settings: VadSettings, sample_rate_hz: int, vad: Pathlike, threads: int) -> None:
    """Write the speech regions of every utterance, in samples at `sample_rate_hz` of the mono mix.

    An utterance without any speech is kept whole and counted in a warning. Raises UserError if the method does not
    work at `sample_rate_hz` or a file cannot be read.
    """
    table = ManifestTable.read(manifest)
    started = time.monotonic()
    find = SpeechFinder(settings, sample_rate_hz)
    all_starts, all_ends, totals = [], [], []
    speechless = []
    marked = _marked(table, find, threads)
    for utterance, (marks, total) in zip(table["utterance"], marked, strict=True):
        starts, ends = find.regions(marks, total)
        if not len(starts):
            speechless.append(utterance)
            starts, ends = np.array([0]), np.array([total])
        all_starts.append(starts)
        all_ends.append(ends)
        totals.append(total)
    if speechless:
        log.warning("no speech found in %d utterances, kept whole: %s", len(speechless), " ".join(speechless[:10]))
    kept = [int((ends - starts).sum()) for starts, ends in zip(all_starts, all_ends, strict=True)]
    found = VadTable(
        utterance=table["utterance"],
        starts_samples=all_starts,
        ends_samples=all_ends,
        speech_seconds=np.array(kept) / sample_rate_hz,
        total_seconds=np.array(totals) / sample_rate_hz,
    )
    found.write(vad, {"sample_rate_hz": sample_rate_hz, "method": settings.method})
    log.info("%.1f %% of the audio is speech", 100 * sum(kept) / max(sum(totals), 1))
    log_speed(log, len(totals), sum(totals) / sample_rate_hz, started)


def with_regions(manifest: Pathlike, vad: Pathlike) -> pd.DataFrame:
    """Return the rows of the manifest with their regions of speech. Raises UserError if `vad` lacks utterances."""
    table = ManifestTable.read(manifest)
    return table.join(VadTable.by_utterance(vad, table["utterance"].tolist()), on="utterance", validate="one_to_one")


def speech(samples: np.ndarray, starts: Sequence[int], ends: Sequence[int]) -> np.ndarray:
    """Return the speech of one utterance: the regions of its `samples` (N,), joined."""
    pieces = [samples[start:end] for start, end in zip(starts, ends, strict=True)]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def regions(marks: np.ndarray, cell: int, total: int, min_silence: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and ends, (R,) each, of the speech in an utterance of `total` samples; none if no cell is marked.

    `marks` (M,) tells which cells of `cell` samples are speech. Silences shorter than `min_silence` samples are kept,
    as are `margin` samples of longer ones next to speech.
    """
    if not marks.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))) * cell
    silence_starts = np.concatenate([[0], np.minimum(edges[1::2], total)]) + margin
    silence_ends = np.concatenate([edges[::2], [total]]) - margin
    long = silence_ends - silence_starts + 2 * margin >= max(min_silence, 1)
    silence_starts[0], silence_ends[-1] = 0, total  # no speech before the first sample and after the last
    removed = long & (silence_ends > silence_starts)
    starts = np.concatenate([[0], silence_ends[removed]])
    ends = np.concatenate([silence_starts[removed], [total]])
    filled = ends > starts
    return starts[filled], ends[filled]


def cell_samples(method: str, sample_rate_hz: int) -> int:
    """Return the number of samples in a cell. Raises UserError if the method does not work at this rate."""
    if method != "silero":
        return CELL_BLOCKS * round(BLOCK_SECONDS * sample_rate_hz)
    if sample_rate_hz not in SILERO_CELL:
        raise UserError(
            f"vad.method silero does not work at audio.sample_rate_hz {sample_rate_hz}: "
            "set audio.sample_rate_hz to 8000 or 16000, or vad.method to energy."
        )
    return SILERO_CELL[sample_rate_hz]


def energy_marks(samples: np.ndarray, cell: int, threshold_db: float) -> np.ndarray:
    """Mark the cells of `samples` (N,), bool (M,), whose level is above the utterance's loud level plus `threshold_db`.

    A cell's level is that of the 25 ms around it; the loud level is their 95th percentile; `threshold_db` is negative.
    """
    block = cell // CELL_BLOCKS
    padded = np.zeros(-(-len(samples) // cell) * cell, dtype=np.float32)
    padded[: len(samples)] = samples
    blocks = padded.reshape(-1, block)
    energies = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float32).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(np.pad(energies, SIDE_BLOCKS))])
    width = CELL_BLOCKS + 2 * SIDE_BLOCKS
    power = (sums[width:] - sums[:-width])[::CELL_BLOCKS] / (width * block)
    level_db = 10 * np.log10(np.maximum(power, 1e-20))
    return level_db > max(np.percentile(level_db, LOUD_PERCENTILE) + threshold_db, FLOOR_DB)


class SpeechFinder:
    """The VAD of a configuration, for samples in memory. Raises UserError if the method does not work at the rate."""

    def __init__(self, settings: VadSettings, sample_rate_hz: int) -> None:
        self.settings, self.rate = settings, sample_rate_hz
        self.cell = cell_samples(settings.method, sample_rate_hz)
        self.min_silence = round(settings.min_silence_ms * sample_rate_hz / 1000)
        self.margin = round(settings.margin_ms * sample_rate_hz / 1000)
        self._silero = None
        if settings.method == "silero":
            from unscribed.audio.silero import Silero  # here, as torch takes two seconds to load

            self._silero = Silero(sample_rate_hz, self.cell)

    def __call__(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and ends, (R,) each, of the regions of speech in `samples` (N,); there may be none."""
        return self.regions(self.marks([samples])[0], len(samples))

    def marks(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Mark the cells of speech of each recording (N,) of a batch, bool (M,)."""
        if self._silero:
            return self._silero.marks(batch)
        if self.settings.method == "none":
            return [np.ones(-(-len(samples) // self.cell), dtype=bool) for samples in batch]
        return [energy_marks(samples, self.cell, self.settings.threshold_db) for samples in batch]

    def regions(self, marks: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the regions of a recording of `total` samples with these marks (M,), as the function `regions`."""
        return regions(marks, self.cell, total, self.min_silence, self.margin)


def _marked(table: pd.DataFrame, finder: SpeechFinder, threads: int) -> Iterable[tuple[np.ndarray, int]]:
    """The marks (M,) and the number of samples of every file of the manifest `table`, in its order."""
    paths = table["path"].tolist()

    def mark(batch: Sequence[int]) -> list[tuple[np.ndarray, int]]:
        loaded = [io.load_mono(paths[number], finder.rate) for number in batch]
        return list(zip(finder.marks(loaded), map(len, loaded), strict=True))

    if finder.settings.method != "silero":
        return chain.from_iterable(ordered_map(mark, [[number] for number in range(len(paths))], threads, "vad"))
    order = np.argsort(table["duration_seconds"].to_numpy())[::-1]  # similar lengths together: less padding
    batches = [order[start : start + SILERO_BATCH] for start in range(0, len(order), SILERO_BATCH)]
    found = dict(zip(order.tolist(), chain.from_iterable(ordered_map(mark, batches, threads, "vad")), strict=True))
    return [found[number] for number in range(len(paths))]
