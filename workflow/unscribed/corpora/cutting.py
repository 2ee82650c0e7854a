"""Long recordings, such as an hour of a field tape, cut at their pauses into utterances with audio files of their own.

The times of what is recognised in them are given in the recording: see `CutTable`. Dimensions: N samples.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from unscribed.artifacts import Pathlike
from unscribed.audio.cut import pieces
from unscribed.audio.stream import seconds_of, stream
from unscribed.audio.vad import SpeechFinder, VadSettings
from unscribed.errors import UserError
from unscribed.parallel import ordered_map
from unscribed.tables import CutTable

log = logging.getLogger(__name__)

File = tuple[str, str]  # name of an utterance, path of its audio


@dataclass(frozen=True)
class CutSettings:
    """The keys of section `audio` that say which recordings are too long, and which pieces too short."""

    min_seconds: float
    max_seconds: float


def cut_long(
    files: Sequence[File],
    folder: Pathlike,
    settings: CutSettings,
    vad: VadSettings,
    sample_rate_hz: int,
    threads: int,
) -> tuple[list[File], CutTable]:
    """Return the files with those longer than `settings.max_seconds` replaced by their pieces, which go to `folder`.

    A piece has the name of its recording and a number, and is a FLAC file at `sample_rate_hz`. What is shorter than
    `settings.min_seconds` is left out. A file that cannot be read stays as it is: the stage manifest names it.
    """

    def cut(file: File) -> tuple[list[File], CutTable]:
        name, path = file
        seconds = seconds_of(path)
        if seconds is None or seconds <= settings.max_seconds:
            return [file], CutTable()
        found, table = [], CutTable()
        try:
            for piece in pieces(stream(path, sample_rate_hz), SpeechFinder(vad, sample_rate_hz)):
                if len(piece.whole) < settings.min_seconds * sample_rate_hz:
                    continue
                utterance = f"{name}-{len(found) + 1:05d}"
                target = Path(folder) / f"{utterance}.flac"
                soundfile.write(target, piece.whole, sample_rate_hz, subtype="PCM_16")
                found.append((utterance, str(target)))
                start = piece.starts[0] / sample_rate_hz
                table.append(utterance=utterance, recording=name, start_seconds=start, recording_seconds=seconds)
        except UserError:
            for _, piece_path in found:
                Path(piece_path).unlink()
            return [file], CutTable()
        return found, table

    Path(folder).mkdir(parents=True, exist_ok=True)
    kept, cuts = [], CutTable()
    for found, table in ordered_map(cut, files, threads, "cut"):
        kept += found
        for column, values in table.columns.items():
            cuts.columns[column] += values
    if len(cuts):
        recordings = len(set(cuts.columns["recording"]))
        log.info("%d recordings longer than %g s cut into %d", recordings, settings.max_seconds, len(cuts))
    return kept, cuts
