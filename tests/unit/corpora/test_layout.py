import gzip

import pytest

from unscribed.corpora import layout
from unscribed.corpora.layout import Recording, Reference, References
from unscribed.errors import UserError
from unscribed.tables import RecordingTable, ReferenceTable

ROWS = [Recording("b", "test", "b.wav"), Recording("c", "train", "c.wav"), Recording("a", "train", "a.wav")]


def test_recordings_are_sorted_by_split_and_name(tmp_path):
    layout.write_recordings(tmp_path / "r.parquet", [*ROWS, Recording("d", "valid", "d.wav")], "key")
    table = RecordingTable.read(tmp_path / "r.parquet")
    assert table["utterance"].tolist() == ["a", "c", "d", "b"]
    assert list(table.columns) == ["utterance", "split", "path"]


def test_empty_split_and_repeated_name_are_user_errors(tmp_path):
    with pytest.raises(UserError, match=r"corpus.folder: no recordings for valid \(of 3 files"):
        layout.write_recordings(tmp_path / "r.parquet", ROWS, "corpus.folder")
    with pytest.raises(UserError, match=r"used twice, for example a.wav, a.mp3. Rename"):
        layout.write_recordings(tmp_path / "r.parquet", [*ROWS, Recording("a", "valid", "a.mp3")], "corpus.folder")


def test_references_go_to_the_split_of_their_recording(tmp_path):
    layout.write_recordings(tmp_path / "r.parquet", [*ROWS, Recording("d", "valid", "d.wav")], "key")
    outputs = {split: tmp_path / f"{split}.parquet" for split in layout.SPLITS}
    references = [Reference("a", "so", ["s", "oʊ"], [0.1, 0.2], 0.3), Reference("b", "x"), Reference("unknown", "y")]
    layout.write_split_references(tmp_path / "r.parquet", References("key", references), outputs)
    train = ReferenceTable.read(outputs["train"])
    assert train["utterance"].tolist() == ["a"] and train["phones"][0].tolist() == ["s", "oʊ"]
    assert train["starts_seconds"][0].tolist() == [0.1, 0.2] and train["end_seconds"][0] == 0.3
    assert len(ReferenceTable.read(outputs["valid"])) == 0
    test = ReferenceTable.read(outputs["test"])
    assert len(test["phones"][0]) == 0 and test["end_seconds"].isna().all()
    with pytest.raises(UserError, match="key: none of the 1 transcripts names a recording"):
        unknown = References("key", [Reference("unknown", "y")])
        layout.write_split_references(tmp_path / "r.parquet", unknown, outputs)


def test_hash_splits_have_the_wanted_shares():
    splits = [layout.hash_split(f"utterance {number}", 0.1, 0.2) for number in range(4000)]
    assert abs(splits.count("valid") / 4000 - 0.1) < 0.02 and abs(splits.count("test") / 4000 - 0.2) < 0.02
    with pytest.raises(UserError, match=r"corpus.folder.valid_fraction and test_fraction add up to 1.1"):
        layout.check_fractions(0.5, 0.6, "corpus.folder")


def test_text_is_read_plain_or_gzipped_without_empty_lines(tmp_path):
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_text("Größe zählt \n\n so\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for source in (plain, packed):
        layout.write_text(tmp_path / "out.txt", layout.read_text(str(source), "key"))
        assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "Größe zählt\nso\n"


def test_bad_text_is_a_user_error_that_names_key_or_file(tmp_path):
    cases = {"latin.txt": "Größe".encode("latin1"), "empty.txt": b"\n \n", "latin.txt.gz": gzip.compress(b"\xff")}
    cases["half.txt.gz"] = gzip.compress(b"some text " * 99)[:-9]
    messages = {"latin.txt": "not UTF-8", "empty.txt": "key: .*no text", "latin.txt.gz": "not UTF-8 inside"}
    messages["half.txt.gz"] = "not a complete gzip file"
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=messages[name]):
            layout.write_text(tmp_path / "out.txt", layout.read_text(str(tmp_path / name), "key"))
        assert not (tmp_path / "out.txt").exists()
    with pytest.raises(UserError, match="key is empty"):
        list(layout.read_text("", "key"))
    with pytest.raises(UserError, match=r"key: the file .*nowhere.txt does not exist"):
        list(layout.read_text(str(tmp_path / "nowhere.txt"), "key"))
