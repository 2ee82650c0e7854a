"""The nouns of the domain as tables: what their columns are called, and of which type, stands here and nowhere else.

Who writes phones with times writes a `PhoneTable`, who reads them reads one. Units are in the column names; frames are
those of the speech-only audio, samples are at audio.sample_rate_hz. A table that belongs to one room, as curves of a
training or confusions, is a class in that room.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import pandas as pd
import pyarrow as pa

from unscribed.artifacts import Pathlike, read_table, write_table
from unscribed.errors import UserError

TEXT, WHOLE, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TEXTS, WHOLES, REALS = pa.list_(TEXT), pa.list_(WHOLE), pa.list_(REAL)
NO_PATH = "no_path"  # status of an utterance for which the word decoder found nothing


class Table:
    """Columns of one kind of table, filled row by row or given at once; subclasses say which columns there are."""

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
        """A table of rows whose values stand in the order of the columns."""
        table = cls()
        for row in rows:
            table.append(**dict(zip(cls.SCHEMA, row, strict=True)))
        return table

    @classmethod
    def from_records(cls, records: Sequence[Mapping[str, Any]]) -> Self:
        """A table of rows by column name; what is no column is left out, and a column that a row lacks is null."""
        return cls(**{name: [record.get(name) for record in records] for name in cls.SCHEMA})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """A table of a data frame's columns; other columns are left out, and NaN becomes null."""
        return cls(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in cls.SCHEMA})

    def write(self, path: Pathlike, metadata: Mapping[str, Any] | None = None) -> None:
        """Write as Parquet, atomically; `metadata` (JSON values) travels in the file."""
        write_table(path, self.columns, list(self.SCHEMA.items()), metadata)

    @classmethod
    def read(cls, path: Pathlike) -> pd.DataFrame:
        """Read such a table; list columns are numpy arrays. Raises UserError if it is missing, damaged or another."""
        table = read_table(path)
        if missing := [name for name in cls.SCHEMA if name not in table.columns]:
            raise UserError(
                f"{path} has no column {missing[0]}: it is no {cls.__name__}, or of another version. Delete it and run "
                "the workflow again."
            )
        return table

    @classmethod
    def by_utterance(cls, path: Pathlike, utterances: Sequence[str] | None = None) -> pd.DataFrame:
        """The same with the utterance as index; with `utterances`, just these, in their order.

        Raises UserError if one of them is missing: the two files come from different runs.
        """
        table = cls.read(path).set_index("utterance")
        if utterances is None:
            return table
        if missing := [name for name in utterances if name not in table.index]:
            raise UserError(
                f"{path} lacks {len(missing)} wanted utterances, for example {missing[0]}: it comes from another run. "
                "Delete it and run the workflow again."
            )
        return table.loc[list(utterances)]


class RecordingTable(Table):
    """Audio files of a corpus and the split of each."""

    SCHEMA: ClassVar = {"utterance": TEXT, "split": TEXT, "path": TEXT}


class ReferenceTable(Table):
    """What was said. Only `unscribed.references` reads it; phones and their times may be empty, the end NaN."""

    SCHEMA: ClassVar = {
        "utterance": TEXT,
        "words": TEXT,
        "phones": TEXTS,
        "starts_seconds": REALS,
        "end_seconds": REAL,
    }


class ManifestTable(Table):
    """Checked audio files of one split, with what was measured of them."""

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
    """Audio files that were left out, and why."""

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
    """Boundaries of the segments of each utterance: S + 1 frame numbers from 0 to its length."""

    SCHEMA: ClassVar = {"utterance": TEXT, "boundaries_frames": WHOLES}


class PhoneTable(Table):
    """Phones of each utterance with their first frames, and its length in frames."""

    SCHEMA: ClassVar = {"utterance": TEXT, "phones": TEXTS, "starts_frames": WHOLES, "frames": WHOLE}


class RestartTable(Table):
    """The matching's objective for every restart of every pass of a round, and which restarts it went on with."""

    SCHEMA: ClassVar = {"units": WHOLE, "restart": WHOLE, "objective": REAL, "chosen": FLAG}


class WordTable(Table):
    """Words of each utterance with times, confidences (0 to 1), phones and the N-best list, best first."""

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
        """Add an utterance for which the decoder found nothing."""
        nothing: dict[str, Any] = {name: [] for name in self.SCHEMA}
        self.append(**{**nothing, "utterance": utterance, "frames": frames, "status": NO_PATH})


class LexiconTable(Table):
    """Words of the text with their phones in isolation, and how often they occur."""

    SCHEMA: ClassVar = {"word": TEXT, "phones": TEXTS, "count": WHOLE}


class SentenceTable(Table):
    """Sentences of the text: line number, words, and the phones of each word in the sentence."""

    SCHEMA: ClassVar = {"sentence": WHOLE, "words": TEXTS, "phones": pa.list_(TEXTS)}


class PseudoLabelTable(Table):
    """What a model is fine-tuned on: the audio's regions of speech, words, letters and phones of each utterance."""

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
