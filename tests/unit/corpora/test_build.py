"""Corpus kinds that read files, each on a tiny tree of its layout, as the workflow reads them."""

import numpy as np
import pytest
import soundfile
from helpers.corpus import PHONE_MAP, SPLITS, Corpus

from unscribed.errors import UserError
from unscribed.tables import RecordingTable

SOUND = np.zeros(800, dtype=np.int16)


def dataset(folder, kind, root, **settings):
    (folder / "lm.txt").write_text("unrelated text\n", encoding="utf-8")
    usual = {"text": str(folder / "lm.txt"), "train": [], "valid": [], "test": [], "setup": "matched"}
    return Corpus(folder, kind, root=str(root), **{**usual, **settings})


def write_audio(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, SOUND, 16000)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_librispeech(tmp_path):
    root = tmp_path / "LibriSpeech"
    for part, speaker in (("train-clean-100", 19), ("dev-clean", 84), ("test-clean", 61), ("dev-other", 116)):
        chapter = root / part / str(speaker) / "198"
        for number in range(2):
            write_audio(chapter / f"{speaker}-198-000{number}.flac")
        write(chapter / f"{speaker}-198.trans.txt", f"{speaker}-198-0000 THE CAT\n{speaker}-198-0001 A DOG'S\n")
    corpus = dataset(tmp_path, "librispeech", tmp_path)  # the folder above LibriSpeech serves as well
    assert corpus.build() == {
        "train": ["19-198-0000", "19-198-0001"],
        "valid": ["84-198-0000", "84-198-0001"],
        "test": ["61-198-0000", "61-198-0001"],
    }
    assert corpus.lines() == ["unrelated text"]
    row = corpus.references()["test"].loc["61-198-0000"]
    assert row["words"] == "the cat" and row["phones"].tolist()[-3:] == ["k", "æ", "t"]
    assert len(row["starts_seconds"]) == 0 and np.isnan(row["end_seconds"])
    other = dataset(tmp_path, "librispeech", root, valid=["dev-other"])
    assert other.build()["valid"] == ["116-198-0000", "116-198-0001"]
    with pytest.raises(UserError, match=r"has no part train-other-500\. .*corpus.dataset.train"):
        dataset(tmp_path, "librispeech", root, train=["train-other-500"]).build()


def test_mls(tmp_path):
    root = tmp_path / "mls_german"
    for part, suffix in (("train", "flac"), ("dev", "flac"), ("test", "flac")):
        write_audio(root / part / "audio" / "10" / "20" / f"10_20_{part}.{suffix}")
        write(root / part / "transcripts.txt", f"10_20_{part}\trot und schön\n10_20_absent\tja\n")
    corpus = dataset(tmp_path, "mls", root)
    assert corpus.build() == {"train": ["10_20_train"], "valid": ["10_20_dev"], "test": ["10_20_test"]}
    row = corpus.references("de")["valid"].loc["10_20_dev"]
    assert row["words"] == "rot und schön" and {"oː", "øː", "ʃ"} <= set(row["phones"])
    with pytest.raises(UserError, match=r"has no folder train/audio.*mls_german"):
        dataset(tmp_path, "mls", tmp_path).build()


def test_commonvoice(tmp_path):
    (tmp_path / "clips").mkdir()
    for part in ("train", "dev", "test"):
        rows = f'c1\tcv_{part}_1.mp3\t"null" he said\t2\nc2\tcv_{part}_2.mp3\tYes.\t2\n'
        write(tmp_path / f"{part}.tsv", "client_id\tpath\tsentence\tup_votes\n" + rows)
    corpus = dataset(tmp_path, "commonvoice", tmp_path)
    assert corpus.build()["valid"] == ["cv_dev_1", "cv_dev_2"]
    assert RecordingTable.read(corpus.recordings)["path"][0] == str(tmp_path / "clips" / "cv_train_1.mp3")
    assert corpus.references()["train"]["words"].tolist() == ["null he said", "yes"]
    write(tmp_path / "dev.tsv", "a\tb\n1\t2\n")
    with pytest.raises(UserError, match=r"dev.tsv is not a Common Voice table"):
        corpus.build()
    (tmp_path / "dev.tsv").unlink()
    with pytest.raises(UserError, match=r"dev.tsv does not exist.*corpus.dataset.valid"):
        corpus.build()


def make_timit(root, train=6, upper=True):
    """Make a TIMIT of `train` training speakers, one development and one core test speaker, with SA1 and SX1."""
    speakers = [("TRAIN", f"FAB{number}0") for number in range(train)] + [("TEST", "FAKS0"), ("TEST", "MDAB0")]
    for part, speaker in speakers:
        for sentence in ("SA1", "SX1"):
            names = [part, "DR1", speaker, sentence]
            base = root.joinpath(*(names if upper else map(str.lower, names)))
            base.parent.mkdir(parents=True, exist_ok=True)
            suffixes = (".WAV", ".PHN", ".TXT") if upper else (".wav", ".phn", ".txt")
            soundfile.write(base.with_suffix(suffixes[0]), SOUND, 16000, format="NIST")
            segments = "0 1600 h#\n1600 2400 q\n2400 3200 ix\n3200 4000 dcl\n4000 4800 pau\n4800 6400 d\n6400 8000 h#\n"
            write(base.with_suffix(suffixes[1]), segments)
            write(base.with_suffix(suffixes[2]), "0 8000 It's a test.\n")


@pytest.mark.parametrize("upper", [True, False])
def test_timit_matched(tmp_path, upper):
    make_timit(tmp_path / "timit", upper=upper)
    corpus = dataset(tmp_path, "timit", tmp_path / "timit", text="")
    splits = corpus.build()
    assert splits["train"] == [f"fab{number}0-sx1" for number in range(6)]
    assert (splits["valid"], splits["test"]) == (["faks0-sx1"], ["mdab0-sx1"])
    assert corpus.lines() == ["ih <SIL> d"] * 6
    row = corpus.references()["test"].loc["mdab0-sx1"]
    assert row["words"] == "it's a test" and row["phones"].tolist() == ["ih", "<SIL>", "d"]
    assert row["starts_seconds"].tolist() == [0.15, 0.2, 0.3] and row["end_seconds"] == 0.4


def test_timit_unmatched_shares_no_utterance_between_audio_and_text(tmp_path):
    make_timit(tmp_path / "timit", train=77)  # 154 utterances: a thirtieth of TIMIT's 4,620
    name_of = {}
    phones = ["aa", "ae", "ah", "aw", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh"]
    for number in range(77):
        for offset, sentence in enumerate(("SA1", "SX1")):
            first, second = divmod(2 * number + offset, 13)  # two phones that no other utterance has
            name_of[f"{phones[first]} {phones[second]}"] = f"fab{number}0-{sentence.lower()}"
            segments = f"0 800 h#\n800 1600 {phones[first]}\n1600 2400 {phones[second]}\n2400 2500 h#\n"
            write(tmp_path / "timit" / "TRAIN" / "DR1" / f"FAB{number}0" / f"{sentence}.PHN", segments)
    corpus = dataset(tmp_path, "timit", tmp_path / "timit", text="", setup="unmatched")
    splits = corpus.build()
    assert [len(splits[split]) for split in SPLITS] == [100, 154 - 100 - 33, 4]
    spoken = {name_of[line] for line in corpus.lines()}
    assert len(spoken) == 33 and not spoken & {*splits["train"], *splits["valid"]}
    assert any(name.endswith("sa1") for name in splits["train"])
    assert corpus.build(seed=0) == splits and corpus.build(seed=1) != splits


def test_timit_errors(tmp_path):
    with pytest.raises(UserError, match=r"corpus.dataset.root: .* has no folder TRAIN"):
        dataset(tmp_path, "timit", tmp_path, text="").build()
    make_timit(tmp_path)
    with pytest.raises(UserError, match=r"corpus.dataset.text: TIMIT brings its own"):
        dataset(tmp_path, "timit", tmp_path).build()
    phones = tmp_path / "TRAIN" / "DR1" / "FAB00" / "SX1.PHN"
    write(phones, "0 100 xx\n")
    with pytest.raises(UserError, match=r"SX1.PHN, line 1: '0 100 xx'.*61 symbols"):
        dataset(tmp_path, "timit", tmp_path, text="").build()
    phones.unlink()
    with pytest.raises(UserError, match="has no PHN file"):
        dataset(tmp_path, "timit", tmp_path, text="").build()


def test_timit_phone_map_has_61_symbols_and_39_phones():
    rows = [line.split("\t") for line in PHONE_MAP.read_text(encoding="utf-8").splitlines()[1:]]
    assert len({symbol for symbol, _ in rows}) == len(rows) == 61
    assert len({phone for _, phone in rows if phone}) == 39
    assert {phone for symbol, phone in rows if symbol in ("zh", "h#", "bcl", "ao")} == {"sh", "<SIL>", "aa"}


FOLDER = {"cut": True, "valid_fraction": 0.3, "test_fraction": 0.3}


def test_folder(tmp_path):
    audio = tmp_path / "audio"
    names = [f"day {day}/{number}.wav" for day in range(3) for number in range(8)]
    for name in names:
        write_audio(audio / name)
    (audio / "notes.pdf").touch()
    write(tmp_path / "text.txt", "one sentence\n")
    write(tmp_path / "said.tsv", "file\ttranscript\n" + "".join(f"{name}\tYes, {name[-5]}!\n" for name in names))
    corpus = Corpus(
        tmp_path, "folder", audio=str(audio), text=str(tmp_path / "text.txt"), transcripts=str(tmp_path / "said.tsv")
    )
    corpus.settings |= FOLDER
    before = corpus.build()
    assert sorted(name for split in SPLITS for name in before[split]) == sorted(
        name[:-4].replace("/", "-") for name in names
    )
    for number in range(20):
        write_audio(audio / "more" / f"{number}.wav")
    after = corpus.build()
    assert all(set(before[split]) <= set(after[split]) for split in SPLITS)
    references = corpus.references()
    assert sum(len(table) for table in references.values()) == len(names)
    assert set(references["train"]["words"]) <= {f"yes {number}" for number in range(8)}


def test_folder_errors(tmp_path):
    write(tmp_path / "text.txt", "one sentence\n")
    corpus = Corpus(tmp_path, "folder", audio="", text=str(tmp_path / "text.txt"), transcripts="", **FOLDER)
    with pytest.raises(UserError, match=r"corpus.folder.audio is empty"):
        corpus.build()
    corpus.settings["audio"] = str(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"corpus.folder.audio: the folder .*nowhere does not exist"):
        corpus.build()
    corpus.settings["audio"] = str(tmp_path)
    with pytest.raises(UserError, match=r"corpus.folder.audio: no audio files below .*\.flac"):
        corpus.build()
    for name in ("a.wav", "a.flac", "b.wav"):
        write_audio(tmp_path / name)
    with pytest.raises(UserError, match=r"used twice, for example .*a.flac, .*a.wav"):
        corpus.build()
    (tmp_path / "a.flac").unlink()
    with pytest.raises(UserError, match=r"corpus.folder: no recordings for .* \(of 2 files found\)"):
        corpus.build()
    for number in range(20):
        write_audio(tmp_path / f"{number}.wav")
    corpus.build()
    with pytest.raises(UserError, match=r"corpus.folder.transcripts is empty"):
        corpus.references()
    corpus.settings["transcripts"] = str(tmp_path / "said.tsv")
    write(tmp_path / "said.tsv", "a.wav\tyes\nb.wav no\n")
    with pytest.raises(UserError, match=r"said.tsv, line 2 has no tab"):
        corpus.references()
    write(tmp_path / "said.tsv", "audio/x.wav\tyes\n")
    with pytest.raises(UserError, match="none of the 1 transcripts names a recording"):
        corpus.references()
