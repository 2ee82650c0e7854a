"""The tables that stages exchange: their columns and types are defined here and nowhere else.

Phones with times, for example, are written and read as a `PhoneTable`. Units are in the column names; frames are those
of the speech-only audio, samples are at audio.sample_rate_hz unless a table says otherwise. A table that only one room
uses, such as training curves or confusions, is defined in that room.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import pandas as pd
import pyarrow as pa

from unscribed.artifacts import Pathlike, read_table, write_table
from unscribed.errors import UserError

# The types of columns; a column of lists holds one list per row.
TEXT, WHOLE, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TEXTS, WHOLES, REALS = pa.list_(TEXT), pa.list_(WHOLE), pa.list_(REAL)
NO_PATH = "no_path"  # status of an utterance for which the word decoder found no path; `ok` otherwise


class Table:
    """A table in memory, given at once or filled row by row; subclasses define its columns in `SCHEMA`."""

    SCHEMA: ClassVar[Mapping[str, pa.DataType]]

    def __init__(self, **columns: Iterable[Any]) -> None:
        if columns and columns.keys() != self.SCHEMA.keys():
            raise TypeError(f"{type(self).__name__} has the columns {', '.join(self.SCHEMA)}")
        self.columns: dict[str, list] = {name: list(columns.get(name, ())) for name in self.SCHEMA}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def append(self, **row: Any) -> None:
        """Add one row. Raises TypeError if a column is missing or unknown."""
        if row.keys() != self.SCHEMA.keys():
            raise TypeError(f"{type(self).__name__} has the columns {', '.join(self.SCHEMA)}")
        for name, value in row.items():
            self.columns[name].append(value)

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[Any]]) -> Self:
        """Make a table of rows with their values in the order of the columns."""
        table = cls()
        for row in rows:
            table.append(**dict(zip(cls.SCHEMA, row, strict=True)))
        return table

    @classmethod
    def from_records(cls, records: Sequence[Mapping[str, Any]]) -> Self:
        """Make a table of mappings from column names; other keys are left out, missing ones become null."""
        return cls(**{name: [record.get(name) for record in records] for name in cls.SCHEMA})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Make a table of a data frame; other columns are left out, NaN becomes null."""
        return cls(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in cls.SCHEMA})

    def write(self, path: Pathlike, metadata: Mapping[str, Any] | None = None) -> None:
        """Write as Parquet, atomically; `metadata` (JSON values) is stored in the file."""
        write_table(path, self.columns, list(self.SCHEMA.items()), metadata)

    @classmethod
    def read(cls, path: Pathlike) -> pd.DataFrame:
        """Read a table as a data frame; list columns hold numpy arrays.

        Raises UserError if the file is missing, damaged or lacks a column.
        """
        table = read_table(path)
        if missing := [name for name in cls.SCHEMA if name not in table.columns]:
            raise UserError(
                f"{path} has no column {missing[0]}: it is not a {cls.__name__}, or from another version. Delete it "
                "and run the workflow again."
            )
        return table

    @classmethod
    def by_utterance(cls, path: Pathlike, utterances: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a table with the utterance as index; with `utterances`, only these rows, in their order.

        Raises UserError as `read` does, and if one of `utterances` is missing.
        """
        table = cls.read(path).set_index("utterance")
        if utterances is None:
            return table
        if missing := [name for name in utterances if name not in table.index]:
            raise UserError(
                f"{path} lacks {len(missing)} utterances, for example {missing[0]}: it comes from another run. "
                "Delete it and run the workflow again."
            )
        return table.loc[list(utterances)]


class RecordingTable(Table):
    """Audio files of a corpus and the split of each."""

    SCHEMA: ClassVar = {"utterance": TEXT, "split": TEXT, "path": TEXT}


class ReferenceTable(Table):
    """Transcripts, with phones and their times where known (else empty lists, and NaN as the end of the last phone).

    Only `unscribed.references` reads it.
    """

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "words": TEXT,
        "phones": TEXTS,
        "starts_seconds": REALS,
        "end_seconds": REAL,
    }


class CutTable(Table):
    """The pieces that long recordings were cut into: the name of the recording, where a piece starts, its length."""

    SCHEMA: ClassVar = {"utterance": TEXT, "recording": TEXT, "start_seconds": REAL, "recording_seconds": REAL}


class ManifestTable(Table):
    """Audio files of one split that passed the checks; `duration_samples` is at the file's own rate."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "path": TEXT,
        "sample_rate_hz": WHOLE,
        "channels": WHOLE,
        "duration_samples": WHOLE,
        "duration_seconds": REAL,
        "clipped_fraction": REAL,
    }


class RejectedTable(Table):
    """Audio files that the checks left out, with the reason."""

    SCHEMA: ClassVar = {"utterance": TEXT, "path": TEXT, "reason": TEXT}


class VadTable(Table):
    """Regions of speech [start, end) in each file."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "starts_samples": WHOLES,
        "ends_samples": WHOLES,
        "speech_seconds": REAL,
        "total_seconds": REAL,
    }


class BoundaryTable(Table):
    """Boundaries of the segments of each utterance: for S segments, S + 1 frame numbers from 0 to its length."""

    SCHEMA: ClassVar = {"utterance": TEXT, "boundaries_frames": WHOLES}


class PhoneTable(Table):
    """Phones of each utterance with their first frames, and its length in frames."""

    SCHEMA: ClassVar = {"utterance": TEXT, "phones": TEXTS, "starts_frames": WHOLES, "frames": WHOLE}


class RestartTable(Table):
    """The objective of every restart of a matching; a pass has so many `units`, and its best restart is `chosen`."""

    SCHEMA: ClassVar = {"units": WHOLE, "restart": WHOLE, "objective": REAL, "chosen": FLAG}


class WordTable(Table):
    """Words of each utterance with times, confidences (0 to 1), phones and N-best list (best first)."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "words": TEXTS,
        "word_starts_frames": WHOLES,
        "word_frames": WHOLES,
        "word_confidences": REALS,
        "phones": TEXTS,
        "starts_frames": WHOLES,
        "frames": WHOLE,
        "nbest": TEXTS,
        "nbest_scores": REALS,
        "status": TEXT,
    }

    def append_no_path(self, utterance: str, frames: int) -> None:
        """Add an utterance of so many `frames` for which the decoder found no path."""
        nothing: dict[str, Any] = {name: [] for name in self.SCHEMA}
        self.append(**{**nothing, "utterance": utterance, "frames": frames, "status": NO_PATH})


class LexiconTable(Table):
    """Words of the text with their phones in isolation, and how often they occur."""

    SCHEMA: ClassVar = {"word": TEXT, "phones": TEXTS, "count": WHOLE}


class SentenceTable(Table):
    """Sentences of the text: line number, words, and the phones of each word in the sentence."""

    SCHEMA: ClassVar = {"sentence": WHOLE, "words": TEXTS, "phones": pa.list_(TEXTS)}


class PseudoLabelTable(Table):
    """Labels for fine-tuning: words, letters and phones of each utterance, and the regions of speech in its audio."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "path": TEXT,
        "starts_samples": WHOLES,
        "ends_samples": WHOLES,
        "words": TEXT,
        "letters": TEXTS,
        "phones": TEXTS,
        "confidence": REAL,
    }


class CtmTable(Table):
    """Intervals in seconds of the original audio, as in NIST's CTM files; the confidence of silence is null."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "channel": TEXT,
        "start_seconds": REAL,
        "duration_seconds": REAL,
        "symbol": TEXT,
        "confidence": REAL,
    }
