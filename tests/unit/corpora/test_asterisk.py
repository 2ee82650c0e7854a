import gzip
import re

import pytest
from helpers.corpus import SPLITS, Corpus

from unscribed.corpora import asterisk
from unscribed.errors import UserError


def make_asterisk(folder):
    for name in [f"vm-{number}" for number in range(8)] + ["digits/1", "letters/a", "beep", "silence/1"]:
        path = folder / "sounds" / f"{name}.g722"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
    said = "; a comment\n\ndigits/1: one\nbeep: [this is a tone]\nsilence/1: (1 second of silence)\nletters/a: a [A]\n"
    said += "".join(f"vm-{number}: Press {number} or *.  Then wait: (tone)\n" for number in range(8))
    (folder / "said.txt.gz").write_bytes(gzip.compress(said.encode()))
    settings = {"text_translation": "WEB", "text_sentences": 30, "valid_fraction": 0.2, "test_fraction": 0.3}
    return Corpus(
        folder, "asterisk", sounds=str(folder / "sounds"), transcripts=str(folder / "said.txt.gz"), **settings
    )


@pytest.fixture
def small_bible(monkeypatch):
    monkeypatch.setattr(asterisk, "clauses", lambda translation, low, high: [f"clause {n}" for n in range(40)])


def test_asterisk(tmp_path, small_bible):
    corpus = make_asterisk(tmp_path)
    splits = corpus.build()
    assert [len(splits[split]) for split in SPLITS] == [5, 2, 3]
    names = [name for split in SPLITS for name in splits[split]]
    assert sorted(names) == ["digits-1", "letters-a", *(f"vm-{number}" for number in range(8))]
    assert corpus.build() == splits and corpus.build(seed=1) != splits
    assert len(corpus.lines()) == 30
    corpus.build()
    words = {name: row["words"] for table in corpus.references().values() for name, row in table.iterrows()}
    assert words["vm-3"] == "press three or star then wait" and words["digits-1"] == "one" and words["letters-a"] == "a"
    assert sorted(words) == sorted(names)


def test_asterisk_not_installed(tmp_path, small_bible):
    corpus = make_asterisk(tmp_path)
    corpus.settings["sounds"] = "/nowhere"
    package = "asterisk-core-sounds-en-g722"
    remedy = f"apt-get install {package}.*apt-get download {package}.*dpkg -x {package}.*corpus.asterisk.sounds"
    with pytest.raises(UserError, match=remedy):
        corpus.build()
    corpus.settings |= {"sounds": str(tmp_path / "sounds"), "transcripts": "/nowhere.gz"}
    corpus.build()
    with pytest.raises(UserError, match=r"corpus.asterisk.transcripts.*apt-get install asterisk-core-sounds-en`"):
        corpus.references()
    corpus.settings["transcripts"] = str(tmp_path / "half.txt.gz")
    (tmp_path / "half.txt.gz").write_bytes((tmp_path / "said.txt.gz").read_bytes()[:-12])
    with pytest.raises(UserError, match=re.escape("half.txt.gz is damaged")):
        corpus.references()
    corpus.settings["text_sentences"] = 41
    with pytest.raises(UserError, match=r"corpus.asterisk.text_sentences: WEB has only 40 clauses"):
        corpus.build()
