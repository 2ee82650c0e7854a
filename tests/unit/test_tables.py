"""What all tables share, shown on phones and words; what each one holds is tested with the stage that makes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import unscribed.tables as module
from unscribed.artifacts import read_metadata
from unscribed.errors import UserError
from unscribed.tables import PhoneTable, RecordingTable, RejectedTable, Table, WordTable

ROWS = [("u1", ["<SIL>", "ɑː"], [0, 4], 9), ("u0", [], [], 3)]
KINDS = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Table)]
KINDS.remove(Table)


def values(path: Path) -> list[tuple]:
    table = PhoneTable.read(path)
    return [(row.utterance, list(row.phones), list(row.starts_frames), row.frames) for row in table.itertuples()]


def test_rows_and_metadata_round_trip(tmp_path: Path) -> None:
    metadata = {"hop_ms": 10.0, "phones": ["<SIL>"], "none": None}
    path = tmp_path / "new/folder/phones.parquet"
    PhoneTable.from_rows(ROWS).write(path, metadata)
    assert values(path) == ROWS and read_metadata(path) == metadata


def test_every_way_to_fill_a_table_gives_the_same_file(tmp_path: Path) -> None:
    columns = dict(zip(PhoneTable.SCHEMA, zip(*ROWS, strict=True), strict=True))
    by_row = PhoneTable()
    for utterance, phones, starts, frames in ROWS:
        by_row.append(frames=np.int64(frames), utterance=utterance, starts_frames=np.array(starts, int), phones=phones)
    records = [dict(zip(PhoneTable.SCHEMA, row, strict=True)) | {"more": 0} for row in ROWS]
    frame = pd.DataFrame(columns).assign(more=0)
    tables = [PhoneTable(**columns), by_row, PhoneTable.from_records(records), PhoneTable.from_frame(frame)]
    PhoneTable.from_rows(ROWS).write(tmp_path / "rows.parquet")
    for table in tables:
        assert len(table) == 2
        table.write(tmp_path / "other.parquet")
        assert (tmp_path / "other.parquet").read_bytes() == (tmp_path / "rows.parquet").read_bytes()


def test_what_is_unknown_is_null(tmp_path: Path) -> None:
    frame = pd.DataFrame({"utterance": ["a", "b"], "path": ["a.wav", "b.wav"], "reason": ["is silent", np.nan]})
    records = [{"utterance": "a", "path": "a.wav", "reason": "is silent"}, {"utterance": "b", "path": "b.wav"}]
    for table in (RejectedTable.from_frame(frame), RejectedTable.from_records(records)):
        table.write(tmp_path / "rejected.parquet")
        assert pq.read_table(tmp_path / "rejected.parquet")["reason"].to_pylist() == ["is silent", None]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_keeps_its_columns_and_types(tmp_path: Path, kind: type[Table]) -> None:
    kind().write(tmp_path / "empty.parquet")
    assert len(kind()) == 0 and list(kind.read(tmp_path / "empty.parquet")) == list(kind.SCHEMA)
    found = pq.read_schema(tmp_path / "empty.parquet")
    assert found.equals(pa.schema(list(kind.SCHEMA.items())))


def test_missing_and_unknown_columns_are_mistakes() -> None:
    for wrong in ({"utterance": "a"}, {"utterance": "a", "split": "test", "path": "a.wav", "speaker": "b"}):
        with pytest.raises(TypeError, match="RecordingTable has the columns utterance, split, path"):
            RecordingTable().append(**wrong)
        with pytest.raises(TypeError, match="RecordingTable has the columns utterance, split, path"):
            RecordingTable(**{name: [value] for name, value in wrong.items()})
    with pytest.raises(ValueError, match="shorter"):
        RecordingTable.from_rows([("a", "test")])


def test_another_table_is_named_with_the_remedy(tmp_path: Path) -> None:
    PhoneTable.from_rows(ROWS).write(tmp_path / "phones.parquet")
    message = r"phones\.parquet has no column words: it is not a WordTable, .*Delete it and run the workflow again"
    for read in (WordTable.read, WordTable.by_utterance):
        with pytest.raises(UserError, match=message):
            read(tmp_path / "phones.parquet")
    with pytest.raises(UserError, match=r"gone\.parquet does not exist: run the stage that makes it"):
        PhoneTable.read(tmp_path / "gone.parquet")


def test_utterances_by_name_and_in_the_wanted_order(tmp_path: Path) -> None:
    path = tmp_path / "phones.parquet"
    PhoneTable.from_rows([*ROWS, ("u2", [], [], 5)]).write(path)
    assert PhoneTable.by_utterance(path).index.tolist() == ["u1", "u0", "u2"]
    found = PhoneTable.by_utterance(path, ["u0", "u1"])
    assert found.index.tolist() == ["u0", "u1"] and found.loc["u1", "frames"] == 9
    assert not len(PhoneTable.by_utterance(path, []))
    message = r"phones\.parquet lacks 2 utterances, for example new: .*another run\. Delete it and run"
    with pytest.raises(UserError, match=message):
        PhoneTable.by_utterance(path, ["u0", "new", "newer"])


def test_an_utterance_that_the_word_decoder_found_nothing_for(tmp_path: Path) -> None:
    table = WordTable()
    table.append_no_path("u1", 7)
    table.write(tmp_path / "words.parquet")
    row = WordTable.read(tmp_path / "words.parquet").iloc[0]
    assert (row["utterance"], row["frames"], row["status"]) == ("u1", 7, module.NO_PATH)
    assert not any(len(row[name]) for name, kind in WordTable.SCHEMA.items() if pa.types.is_list(kind))
