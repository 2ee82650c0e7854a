import pyarrow as pa
import pytest

from unscribed.artifacts import write_lines, write_table
from unscribed.errors import UserError
from unscribed.text.lexicon import lexicon


def run(tmp_path, entries, inventory):
    write_table(
        tmp_path / "lexicon.parquet",
        {"word": list(entries), "phones": list(entries.values()), "count": [1] * len(entries)},
        [("word", pa.string()), ("phones", pa.list_(pa.string())), ("count", pa.int64())],
    )
    write_lines(tmp_path / "phones.txt", inventory)
    lexicon(
        lexicon_table=tmp_path / "lexicon.parquet", phones=tmp_path / "phones.txt", lexicon=tmp_path / "lexicon.txt"
    )
    return (tmp_path / "lexicon.txt").read_text(encoding="utf-8")


def test_sorted_and_filtered(tmp_path):
    entries = {"émile": ["e"], "the": ["ð", "ə"], "loch": ["l", "x"], "don't": ["d"], "mute": []}
    assert run(tmp_path, entries, ["<SIL>", "ð", "ə", "d", "e", "l"]) == "don't d\nthe ð ə\némile e\n"


@pytest.mark.parametrize("entries", [{}, {"loch": ["x"]}])
def test_nothing_left(tmp_path, entries):
    with pytest.raises(UserError, match=r"no word of .*lexicon\.parquet"):
        run(tmp_path, entries, ["<SIL>", "a"])
