"""Transcribe recordings of any length with a recogniser that the workflow has learned.

Dimensions: N samples, T frames, R regions of speech.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.audio.cut import Piece, pieces
from unscribed.audio.stream import stream
from unscribed.audio.times import to_original_seconds
from unscribed.audio.vad import SpeechFinder
from unscribed.parallel import numeric_map
from unscribed.recogniser.ears import EARS
from unscribed.recogniser.folder import CARD, Card
from unscribed.recogniser.transcript import Phone, Transcript, Utterance, Word

IN_RESULTS = "recogniser"  # its folder within the results of a corpus


class Recogniser:
    """A recogniser, loaded from its folder or from the results of a corpus; uses `threads`, by default all cores.

    Raises UserError if the folder is none, or damaged.
    """

    def __init__(self, folder: Pathlike, threads: int | None = None) -> None:
        self.folder = recogniser_folder(folder)
        self.card = Card.read(self.folder)
        self.threads = threads or len(os.sched_getaffinity(0))
        self.ear = EARS[self.card.kind](self.folder, self.card)

    def transcribe(self, path: Pathlike) -> Transcript:
        """Return what is said in a file. Raises UserError if it is missing, damaged or no audio."""
        heard = Heard(path, self.card.sample_rate_hz)
        utterances = list(self.utterances(heard))
        return Transcript(Path(path), heard.seconds, utterances)

    def utterances(self, blocks: Iterable[np.ndarray]) -> Iterator[Utterance]:
        """Yield the utterances of a recording that comes in blocks of samples (N,) at the recogniser's rate.

        They are recognised while later blocks are read, in memory that does not grow with the recording. With features
        by speaker, `blocks` are gone through twice, and all of them are one speaker's.
        """
        if self.ear.set_speaker:
            self.ear.set_speaker(piece.samples for piece in self._pieces(blocks))
        yield from numeric_map(self.recognise, self._pieces(blocks), self.threads, None)

    def _pieces(self, blocks: Iterable[np.ndarray]) -> Iterator[Piece]:
        """Yield the pieces that are long enough to be recognised."""
        finder = SpeechFinder(self.card.vad, self.card.sample_rate_hz)
        return (piece for piece in pieces(blocks, finder) if len(piece.samples) >= self.ear.shortest)

    def recognise(self, piece: Piece) -> Utterance:
        """Return the words and phones of one piece of a recording."""
        rate = self.card.sample_rate_hz
        start, end = float(piece.starts[0] / rate), float(piece.ends[-1] / rate)
        found = self.ear(piece.samples)
        if found is None:
            return Utterance(start, end, [], [])
        firsts = np.array(found["word_starts_frames"], dtype=np.int64)
        words = zip(
            found["words"],
            *self._times(piece, firsts, firsts + np.array(found["word_frames"], dtype=np.int64)),
            found["word_confidences"],
            strict=True,
        )
        edges = np.append(found["starts_frames"], found["frames"])[-len(found["phones"]) - 1 :]
        phones = zip(found["phones"], *self._times(piece, edges[:-1], edges[1:]), strict=True)
        return Utterance(start, end, [Word(*word) for word in words], [Phone(*phone) for phone in phones])

    def _times(self, piece: Piece, firsts: np.ndarray, ends: np.ndarray) -> tuple[list[float], list[float]]:
        """Starts and ends in seconds of the recording, of what has these first and last + 1 frames of a piece."""
        base = (self.ear.hop_ms, piece.starts, piece.ends, self.card.sample_rate_hz)
        starts = to_original_seconds(firsts, *base)
        # The last frame may start after the end of its region: then its duration is 0, not negative.
        return starts.tolist(), np.maximum(to_original_seconds(ends, *base, ends=True), starts).tolist()


class Heard:
    """The blocks of a file, counted while they are read: `seconds` of them so far."""

    def __init__(self, path: Pathlike, sample_rate_hz: int) -> None:
        self.path, self.rate, self.seconds = path, sample_rate_hz, 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        self.seconds = 0.0
        for block in stream(self.path, self.rate):
            self.seconds += len(block) / self.rate
            yield block


def recogniser_folder(folder: Pathlike) -> Path:
    """Return the folder of the recogniser in `folder`, which may be that of a corpus's results."""
    inner = Path(folder) / IN_RESULTS
    return inner if (inner / CARD).is_file() else Path(folder)
