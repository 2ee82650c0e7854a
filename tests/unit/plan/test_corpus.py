from pathlib import Path

from helpers.configurations import configuration

from unscribed.plan.corpus import CorpusPlan


def corpus(**values: object) -> CorpusPlan:
    return CorpusPlan.from_config(configuration(values))


def test_settings_are_those_of_the_kind_and_data_sets_share_theirs() -> None:
    own = corpus(kind="folder", folder={"audio": "x"})
    assert own.settings["audio"] == "x" and own.results == "results/a"
    assert corpus(kind="mls", dataset={"root": "y"}).settings["root"] == "y"


def test_only_a_synthesiser_speaks_and_it_may_tell_its_phones_itself() -> None:
    assert corpus(kind="espeak").spoken and not corpus(kind="asterisk").spoken
    assert corpus(kind="espeak", language="en-gb").spoken_language is None
    assert corpus(kind="hibari", language="en-gb").spoken_language == "en-gb"


def test_ones_own_data_has_references_only_with_transcripts() -> None:
    told = corpus(kind="folder", folder={"transcripts": "t.tsv"})
    assert told.references("valid", "test") == [
        "<results>/references/valid.parquet",
        "<results>/references/test.parquet",
    ]
    assert told.untranscribed_settings == {**told.settings, "transcripts": ""}
    untold = corpus(kind="folder")
    assert untold.references("valid", "test") == []
    assert untold.untranscribed_settings == told.untranscribed_settings


def test_every_other_corpus_has_references() -> None:
    for kind in ("espeak", "hibari", "asterisk", "librispeech", "timit", "mls", "commonvoice"):
        assert corpus(kind=kind).references("test") == ["<results>/references/test.parquet"], kind


def test_folders_tell_the_speakers_of_some_corpora() -> None:
    levels = {"librispeech": 2, "mls": 2, "timit": 1, "folder": 1, "commonvoice": 0, "espeak": 0}
    assert {kind: corpus(kind=kind).speaker_level for kind in levels} == levels


def test_the_users_files_are_inputs_if_they_exist(tmp_path: Path) -> None:
    """The reader reports a missing one better than Snakemake."""
    for name in ("text.txt", "said.tsv"):
        (tmp_path / name).write_text("words")
    files = {"audio": str(tmp_path), "text": str(tmp_path / "text.txt"), "transcripts": str(tmp_path / "said.tsv")}
    own = corpus(kind="folder", folder=files)
    assert (own.text, own.transcripts) == ([files["text"]], [files["transcripts"]])
    gone = corpus(kind="folder", folder={**files, "text": "nowhere.txt", "transcripts": ""})
    assert (gone.text, gone.transcripts) == ([], [])
    spoken = corpus(kind="espeak")
    assert (spoken.text, spoken.transcripts, spoken.state(None)) == ([], [], "")
    before = own.state(None)
    (tmp_path / "new.wav").write_bytes(b"")
    assert own.state(None) != before
    assert corpus(kind="librispeech", dataset={"root": str(tmp_path)}).state(None) == own.state(None)
