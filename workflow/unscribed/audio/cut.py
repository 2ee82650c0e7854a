"""Cut a recording of any length into pieces that are recognised at once, at its pauses.

A recording with no more speech than a piece may have stays whole, as the utterances of a corpus do, unless it has a
long pause. Longer speech is divided at the longest pause, and its halves again, until all are short enough; speech
without a pause is divided at its quietest moment. Dimensions: N samples, R regions of speech.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from unscribed.audio.vad import SpeechFinder, speech

PIECE_SECONDS = 15.0  # of speech at most: longer sentences are rare, and a beam search needs memory by the second
PAUSE_SECONDS = 1.0  # few sentences go on after a longer one
WINDOW_SECONDS = 120.0  # in which speech is looked for at once: its loud level follows a recording this fast
CELL_SECONDS = 0.01  # of which the quietest is looked for
Regions = list[tuple[int, int]]


@dataclass(frozen=True)
class Piece:
    """The speech of a part of a recording: its regions joined, (N,), and their starts and ends in the recording, (R,).

    `whole` is the same with the pauses between them. All are in samples at the rate of the VAD.
    """

    samples: np.ndarray
    whole: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def pieces(blocks: Iterable[np.ndarray], finder: SpeechFinder) -> Iterator[Piece]:
    """Yield the pieces of a recording that comes in `blocks` of samples; a recording without speech has none."""
    window = round(WINDOW_SECONDS * finder.rate)
    waiting, held, start = [], 0, 0  # blocks, the number of their samples, and where in the recording they begin
    for block in chain(blocks, [None]):
        if block is not None:
            waiting.append(block)
            held += len(block)
            if held < window:
                continue
        samples = np.concatenate(waiting) if waiting else np.zeros(0, dtype=np.float32)
        found = list(zip(*(edges.tolist() for edges in finder(samples)), strict=True)) if len(samples) else []
        groups = divided(found, samples, finder.rate)
        done = len(samples)
        if block is not None and groups and done - groups[-1][-1][1] < PAUSE_SECONDS * finder.rate:
            first = groups.pop()[0][0]  # it may go on in the next block; the pause before it belongs to it
            done = max(first - round(PAUSE_SECONDS * finder.rate), groups[-1][-1][1] if groups else 0)
        for group in groups:
            starts, ends = np.array(group, dtype=np.int64).T
            yield Piece(speech(samples, starts, ends), samples[starts[0] : ends[-1]], start + starts, start + ends)
        waiting, held, start = [samples[done:].copy()], len(samples) - done, start + done


def divided(regions: Regions, samples: np.ndarray, rate: int) -> list[Regions]:
    """Divide regions (start, end) of `samples` (N,) into groups, in order, none of which has too much speech."""
    if not regions:
        return []
    pauses = [later[0] - earlier[1] for earlier, later in pairwise(regions)]
    short = sum(end - start for start, end in regions) <= PIECE_SECONDS * rate
    if short and max(pauses, default=0) <= PAUSE_SECONDS * rate:
        return [regions]
    if pauses:
        place = int(np.argmax(pauses)) + 1
        halves = regions[:place], regions[place:]
    else:
        (start, end), *_ = regions
        middle = _quietest(samples, start, end, round(CELL_SECONDS * rate))
        halves = [(start, middle)], [(middle, end)]
    return [group for half in halves for group in divided(half, samples, rate)]


def _quietest(samples: np.ndarray, start: int, end: int, cell: int) -> int:
    """The middle of the cell with the least energy in the middle half of the samples from `start` to `end`."""
    quarter = (end - start) // 4
    inner = samples[start + quarter : end - quarter]
    cells = inner[: len(inner) // cell * cell].reshape(-1, cell)
    energies = np.einsum("ij,ij->i", cells, cells, dtype=np.float64)
    return start + quarter + int(energies.argmin()) * cell + cell // 2
