"""Values that clash, and files that are not there."""

import stat

import pytest
from helpers.configurations import CORPUS, SCHEMA, mistakes

from unscribed.config.checks import check
from unscribed.config.schema import complete


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"speak": {"pitches": [80, 20]}}, "speak.pitches: begins with 80, which is above 20; put the lower one first"),
        ({"audio": {"min_seconds": 40}}, "audio.min_seconds: 40 must be below audio.max_seconds, which is 40.0"),
        (
            {"normalize": {"min_words": 61}},
            "normalize.min_words: 61 must be at most normalize.max_words, which is 60",
        ),
        (
            {"corpus": {**CORPUS, "espeak": {"max_words": 3}}},
            "corpus.espeak.min_words: 4 must be at most corpus.espeak.max_words, which is 3",
        ),
        (
            {"corpus": {"name": "a", "kind": "hibari", "hibari": {"min_words": 13}}},
            "corpus.hibari.min_words: 13 must be at most corpus.hibari.max_words, which is 12",
        ),
        (
            {"features": {"mel_bins": 8}},
            "features.coefficients: 13 must be at most features.mel_bins, which is 8",
        ),
        (
            {"features": {"deltas": False}, "pca": {"context_frames": 1, "dims": 40}},
            "pca.dims: 40 is more than the 39 of its input (13 features of 3 frame(s)); lower it",
        ),
        (
            {"segment": {"rate_hz": 15, "pool_neighbours": True}},
            "segment.pool_neighbours: segment.rate_hz merges segments already; set it to false, or rate_hz to null",
        ),
        (
            {"vad": {"method": "silero"}, "audio": {"sample_rate_hz": 22050}},
            "vad.method: silero needs audio.sample_rate_hz 8000 or 16000, not 22050; set it, or use energy",
        ),
        (
            {"corpus": {"name": "a", "kind": "asterisk", "asterisk": {"valid_fraction": 0.9}}},
            "corpus.asterisk.valid_fraction and test_fraction leave nothing for training; lower them",
        ),
        (
            {"phonemize": {"backend": "phones"}, "silence": {"probability": 0}},
            "phonemize.backend: phones does not fit corpus.kind espeak, whose text is words; set it to espeak",
        ),
        (
            {"gan": {"seeds": [0], "auxiliary": 0.5, "residual": True}},
            "gan.auxiliary: pseudo-labels belong to frames; set gan.input: frames, or gan.auxiliary: 0",
        ),
        (
            {"gan": {"seeds": [0], "start": ["random"], "input": "frames", "auxiliary": 0.5}},
            "gan.auxiliary: the residual layer predicts the pseudo-labels; set gan.residual: true, or auxiliary: 0",
        ),
        (
            {"gan": {"seeds": [0], "start": ["match", "random", "teacher"], "stride": 2}},
            "gan.start: a start from labels (match, teacher) needs segments; set gan.input: segments and stride: 1, or "
            "start: [random]",
        ),
        (
            {"gan": {"seeds": [0], "match_round": 4}},
            "gan.match_round: 4 is more than match.rounds, which is 3",
        ),
        (
            {"gan": {"seeds": [0], "start": ["match", "teacher"], "match_round": 4}},
            "gan.match_round: 4 is more than match.rounds, which is 3",
        ),
        (
            {"pretrain": {"objective": "clusters", "targets": "pretrain"}},
            "pretrain.targets: a model cannot learn from itself; name the folder of an earlier one",
        ),
        (
            {"pretrain": {"gumbel_temperature": [0.5, 2.0]}},
            "pretrain.gumbel_temperature: must not rise from its first value 0.5 to its last 2.0; swap them",
        ),
        (
            {"features": {"kind": "wav2vec", "checkpoint": "pretrain", "layer": 1}, "pretrain": {"model": ""}},
            "pretrain.model: is empty; set it to a file of config/models",
        ),
        (
            {"finetune": {"labels": ["10min"]}},
            "finetune.checkpoint: is empty; set it to a folder, a model's name on the Hugging Face hub, or to pretrain,"
            " which trains one on this corpus",
        ),
        (
            {"finetune": {"labels": ["all"], "checkpoint": "pretrain", "updates": 100}},
            "finetune.freeze_updates: 200 must be at most finetune.updates, which is 100",
        ),
    ],
)
def test_values_that_clash(config, line):
    assert mistakes({"corpus": CORPUS, **config}) == [line]


def test_the_language_must_be_one_that_espeak_knows_where_it_makes_phones(tmp_path):
    line = "corpus.language: eSpeak NG has no language 'en'; close: en-gb, en-us, en-gb-scotland, en-gb-x-rp"
    line += "; phonemize.backend: epitran or letters does without it"
    assert mistakes({"corpus": {**CORPUS, "language": "en"}}) == [line]
    (tmp_path / "text").touch()
    folder = {"audio": str(tmp_path), "text": str(tmp_path / "text")}
    own = {"name": "a", "kind": "folder", "language": "en", "folder": folder}
    phones = {"phonemize": {"backend": "phones"}, "silence": {"probability": 0.0}}
    assert mistakes({"corpus": own}) == [line]
    check(complete({"corpus": own, **phones}, SCHEMA))  # any name does
    transcribed = {**own, "folder": {**folder, "transcripts": str(tmp_path / "text")}}
    assert mistakes({"corpus": transcribed, **phones}) == [line]  # their words get phones
    timit = {"name": "a", "kind": "timit", "language": "en", "dataset": {"root": str(tmp_path)}}
    check(complete({"corpus": timit, **phones}, SCHEMA))
    check(complete({"corpus": timit, **phones, "teacher": {"candidate": True}}, SCHEMA))  # the plan leaves it out


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"phone_lm": {"orders": [3, 4, 6]}},
            "phone_lm.orders: 6 needs lmplz of KenLM on PATH; install it, or stay below 6",
        ),
        (
            {"word_lm": {"order": 6, "prune": []}},
            "word_lm.order: 6 needs lmplz of KenLM on PATH; install it, or stay below 6",
        ),
        (
            {"word_lm": {"prune": [1, 2]}},
            "word_lm.prune: wanted one number for each order (word_lm.order is 4), or [], found 2",
        ),
        (
            {"word_lm": {"prune": [2, 2, 2, 2]}},
            "word_lm.prune: starts with 2, but no word may be left out; start with 1",
        ),
        (
            {"word_lm": {"prune": [1, 3, 2, 2]}},
            "word_lm.prune: its numbers must not fall from one order to the next; raise the later ones",
        ),
    ],
)
def test_models_that_cannot_be_estimated(tmp_path, monkeypatch, config, line):
    monkeypatch.setenv("PATH", str(tmp_path))  # no lmplz
    assert mistakes({"corpus": CORPUS, **config}) == [line]


def test_order_6_with_lmplz(tmp_path, monkeypatch):
    (tmp_path / "lmplz").touch(mode=stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    models = {
        "phone_lm": {"orders": [6, 3]},
        "hmm": {"lm_order": 6},
        "word_lm": {"order": 6, "prune": [1, 1, 1, 2, 2, 4]},
    }
    check(complete({"corpus": CORPUS, **models}, SCHEMA))


def test_values_at_the_edge_do_not_clash():
    check(complete({"corpus": CORPUS, "pca": {"context_frames": 2, "dims": 195}}, SCHEMA))
    check(complete({"corpus": CORPUS, "features": {"kind": "logmel", "mel_bins": 8}, "pca": {"dims": 24}}, SCHEMA))


def test_own_data_must_exist(tmp_path):
    folder = {"audio": "", "text": str(tmp_path), "transcripts": str(tmp_path / "x.tsv")}
    lines = mistakes({"corpus": {"name": "a", "kind": "folder", "folder": folder}})
    assert lines[0] == "corpus.folder.audio: is empty; set it to the folder of the audio files"
    assert lines[1].startswith(f"corpus.folder.text: {tmp_path} does not exist (wanted: a text file")
    assert lines[2].startswith(f"corpus.folder.transcripts: {tmp_path}/x.tsv does not exist")
    (tmp_path / "text").touch()
    folder = {"audio": str(tmp_path), "text": str(tmp_path / "text")}
    own = {"corpus": {"name": "a", "kind": "folder", "folder": folder}}
    check(complete(own, SCHEMA))
    few = {"finetune": {"labels": ["pseudo", "1h"], "checkpoint": "pretrain"}}
    line = "finetune.labels: 1h needs corpus.folder.transcripts; set it, or take pseudo alone"
    assert mistakes({**own, **few}) == [line]


def test_data_sets_need_their_root_and_text(tmp_path):
    root = {"root": str(tmp_path)}
    lines = mistakes({"corpus": {"name": "a", "kind": "mls", "dataset": {**root, "text": "nowhere"}}})
    assert len(lines) == 1 and lines[0].startswith("corpus.dataset.text: nowhere does not exist")
    lines = mistakes({"corpus": {"name": "a", "kind": "timit", "dataset": {"text": "x"}}})
    keys = ["corpus.dataset.root", "corpus.dataset.text", "phonemize.backend"]
    assert [line.split(":")[0] for line in lines] == keys
    phones = {"phonemize": {"backend": "phones"}}
    timit = {"corpus": {"name": "a", "kind": "timit", "dataset": root}, **phones}
    (line,) = mistakes(timit)
    assert line.startswith("silence.probability: would put silence between the phones")
    check(complete({**timit, "silence": {"probability": 0.0}}, SCHEMA))


def test_languages_without_espeak(tmp_path):
    for name in ("text", "own.tsv"):
        (tmp_path / name).touch()
    folder = {"audio": str(tmp_path), "text": str(tmp_path / "text"), "transcripts": str(tmp_path / "text")}

    def own(language, **phonemize):
        corpus = {"name": "a", "kind": "folder", "language": language, "folder": folder}
        return {"corpus": corpus, "phonemize": phonemize}

    check(complete(own("hau-Latn", backend="epitran"), SCHEMA))
    check(complete(own("anything", backend="letters", lexicon=str(tmp_path / "own.tsv")), SCHEMA))
    line = "corpus.language: epitran has no language 'hau'; close: hau-Latn; phonemize.backend: letters does without it"
    assert mistakes(own("hau", backend="epitran")) == [line]
    assert mistakes(own("x", backend="letters", lexicon="nowhere.tsv"))[0].startswith("phonemize.lexicon: ")
    spoken = {"corpus": CORPUS, "phonemize": {"backend": "letters"}}
    assert mistakes(spoken)[0].startswith("phonemize.backend: letters does not fit corpus.kind espeak")
