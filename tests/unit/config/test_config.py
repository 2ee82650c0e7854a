import json
import re
import stat
from pathlib import Path

import pytest
import yaml

from unscribed.config.checkpoints import hop_ms
from unscribed.config.checks import check
from unscribed.config.kinds import KINDS
from unscribed.config.schema import complete
from unscribed.errors import UserError

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
DEMO = ROOT / "config/config.yaml"
CORPORA = sorted((ROOT / "config/corpora").glob("*.yaml"))
GRIDS = sorted((ROOT / "config/gan").glob("*.yaml"))
BENCHMARKS = sorted((ROOT / "config/benchmarks").glob("*.yaml"))
NEEDS_NO_DATA = ("demo-unmatched", "natural-en", "natural-en-audio")
CORPUS = {"name": "a", "kind": "espeak"}
WITHOUT_DEFAULT = {"corpus", "corpus.name", "corpus.kind"}


def parameters(schema, path=()):
    """Yield the dotted name and the schema of every section and parameter."""
    for name, child in schema.get("properties", {}).items():
        yield ".".join((*path, name)), child
        yield from parameters(child, (*path, name))


def merged(base, over):
    """`over` laid over `base`, as Snakemake lays --configfile over the workflow's own file."""
    both = {name: merged(base[name], over[name]) for name in base.keys() & over.keys() if isinstance(base[name], dict)}
    return {**base, **over, **both}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def problems(config, function=complete):
    """The lines after the first of the error that `config` causes."""
    with pytest.raises(UserError) as caught:
        complete(config, SCHEMA) if function is complete else check(complete(config, SCHEMA))
    first, *lines = str(caught.value).split("\n  ")
    assert "config/README.md" in first and first.startswith(f"{len(lines)} mistake")
    return lines


def test_every_default_is_filled_in():
    config = complete({"corpus": {**CORPUS, "espeak": {"train_hours": 1}}, "vad": {"margin_ms": 5.0}}, SCHEMA)
    for name, schema in parameters(load(SCHEMA)):
        value = config
        for part in name.split("."):
            value = value[part]
        if "properties" not in schema and name not in {*WITHOUT_DEFAULT, "corpus.espeak.train_hours", "vad.margin_ms"}:
            assert value == schema["default"], name
    assert config["corpus"]["espeak"]["train_hours"] == 1
    assert isinstance(config["vad"]["margin_ms"], int)  # 5.0 is a whole number for the schema, not for range()
    check(config)


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ({"vad": {"treshold_db": 1}}, "vad.treshold_db: unknown key; did you mean vad.threshold_db?"),
        ({"Kmeans": {}}, "Kmeans: unknown key; did you mean kmeans?"),
        ({"vad": {"hidden": 1}}, "vad.hidden: unknown key; `hidden` belongs to `acoustic`"),
        (
            {"vad": {"clusters": 1}},
            "vad.clusters: unknown key; `clusters` belongs to `pretrain` or `kmeans` or `match`",
        ),
        (
            {"vad": {"kmeans": {}}},
            "vad.kmeans: unknown key; `kmeans` belongs to the top level; check the indentation",
        ),
        ({"min_cuont": 3}, "min_cuont: unknown key; did you mean phonemize.min_count?"),
        ({"vad.method": "none"}, "vad.method: unknown key; write `method` indented below `vad:`"),
        ({"silence": {"xyz": 1}}, "silence.xyz: unknown key; known here: probability, surround"),
        ({"vad": {False: 1}}, "vad.False: unknown key; known here: method, threshold_db, min_silence_ms, margin_ms"),
        (
            {"vad": {"method": "sileri"}},
            "vad.method: 'sileri' is not one of energy, silero, none; did you mean silero?",
        ),
        ({"vad": {"margin_ms": -1}}, "vad.margin_ms: -1 is out of range, wanted at least 0"),
        ({"phone_lm": {"orders": [3, 9]}}, "phone_lm.orders[1]: 9 is out of range, wanted at least 3 and at most 6"),
        ({"vad": {"threshold_db": 0}}, "vad.threshold_db: 0 is out of range, wanted below 0"),
        ({"vad": {"threshold_db": float("-inf")}}, "vad.threshold_db: wanted a finite number, found -inf"),
        ({"pca": {"dims": 2.5}}, "pca.dims: wanted a whole number, found 2.5"),
        ({"match": {"clusters": [64, True]}}, "match.clusters[1]: wanted a whole number, found true"),
        ({"silence": {"surround": "no way"}}, "silence.surround: wanted true or false, found the text 'no way'"),
        ({"vad": []}, "vad: wanted a section (indented `key: value` lines), found []"),
        (
            {"vad": None},
            "vad: wanted a section (indented `key: value` lines), found nothing; "
            "give a value, or remove the line for the default",
        ),
        ({"corpus": {**CORPUS, "language": False}}, "corpus.language: wanted text, found false; put it in quotes"),
        (
            {"corpus": {**CORPUS, "name": "a b"}},
            "corpus.name: 'a b' cannot name a folder; use letters, digits, dots, hyphens and underscores",
        ),
        (
            {"corpus": {"name": "a"}},
            f"corpus.kind: is missing; add it as one of {', '.join(KINDS)}",
        ),
    ],
)
def test_one_line_says_what_is_wrong(section, line):
    assert problems({"corpus": CORPUS, **section}) == [line]


@pytest.mark.parametrize("text", ["'1'", "1e-3"])  # YAML takes both for text
def test_text_that_looks_like_a_number(text):
    (line,) = problems({"corpus": CORPUS, "features": {"hop_ms": yaml.safe_load(text)}})
    assert line.startswith("features.hop_ms: wanted a number, found the text") and "without quotes" in line


def test_all_mistakes_are_listed_and_an_empty_file_is_one():
    assert problems({}) == ["corpus: is missing; add it"]
    assert len(problems({"corpus": {}, "vad": {"margin_ms": -1, "x": 1}, "pca": 1})) == 5


@pytest.mark.parametrize(
    ("config", "line"),
    [
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
            {"gan": {"seeds": [0], "start": ["match"], "stride": 2}},
            "gan.start: match labels segments, one by one; set gan.input: segments and stride: 1, or start: [random]",
        ),
        (
            {"gan": {"seeds": [0], "match_round": 4}},
            "gan.match_round: 4 is more than match.rounds, which is 3",
        ),
        (
            {"pretrain": {"objective": "clusters", "targets": "pretrain"}},
            "pretrain.targets: a model cannot learn from itself; name the folder of an earlier one",
        ),
        (
            {"pretrain": {"gumbel_temperature": [0.5, 2.0]}},
            "pretrain.gumbel_temperature: falls from the first to the last, and cannot from 0.5 to 2.0",
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
    assert problems({"corpus": CORPUS, **config}, check) == [line]


def test_the_language_must_be_one_that_espeak_knows_where_it_makes_phones(tmp_path):
    line = "corpus.language: eSpeak NG has no language 'en'; close: en-gb, en-us, en-gb-scotland, en-gb-x-rp"
    assert problems({"corpus": {**CORPUS, "language": "en"}}, check) == [line]
    (tmp_path / "text").touch()
    folder = {"audio": str(tmp_path), "text": str(tmp_path / "text")}
    own = {"name": "a", "kind": "folder", "language": "en", "folder": folder}
    phones = {"phonemize": {"backend": "phones"}, "silence": {"probability": 0.0}}
    assert problems({"corpus": own}, check) == [line]
    check(complete({"corpus": own, **phones}, SCHEMA))  # any name does
    transcribed = {**own, "folder": {**folder, "transcripts": str(tmp_path / "text")}}
    assert problems({"corpus": transcribed, **phones}, check) == [line]  # their words get phones
    timit = {"name": "a", "kind": "timit", "language": "en", "dataset": {"root": str(tmp_path)}}
    check(complete({"corpus": timit, **phones}, SCHEMA))


def test_models_that_have_seen_transcripts_stay_outside_the_firewall(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for labels, refused in {"10min": True, "pseudo1": False}.items():
        (tmp_path / f"results/a/finetune/{labels}/model").mkdir(parents=True)
        name = f"results/../results/a/finetune/{labels}/model"
        features = {"kind": "wav2vec", "checkpoint": name, "layer": 1}
        for section in ({"features": features}, {"finetune": {"labels": ["pseudo"], "checkpoint": name}}):
            found = problems({"corpus": CORPUS, **section}, check) if refused else []
            assert all("was fine-tuned with transcripts" in line for line in found) and len(found) == refused
            if not refused:
                check(complete({"corpus": CORPUS, **section}, SCHEMA))
        few = {"labels": ["1h"], "checkpoint": name}  # which may know them
        check(complete({"corpus": CORPUS, "finetune": few}, SCHEMA))


def test_other_corpora_need_their_results_and_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    languages = [{"language": "de", "results": "results/de"}, {"language": "en-us", "results": "results/x"}]
    (tmp_path / "results/x/vad").mkdir(parents=True)
    twice, missing = problems({"corpus": CORPUS, "pretrain": {"languages": languages}}, check)
    assert twice.startswith("pretrain.languages: the language en-us is there twice (corpus.language is en-us)")
    assert missing.startswith("pretrain.languages[0].results: results/de has no vad; run `snakemake vad`")
    few = {"labels": ["10min"], "checkpoint": "pretrain", "languages": languages[:1]}
    sizes = {"model": str(SCHEMA.parents[2] / "config/models/tiny.yaml")}
    (missing,) = problems({"corpus": CORPUS, "finetune": few, "pretrain": sizes}, check)
    assert missing.startswith("finetune.languages[0].results: results/de has no finetune; run `snakemake finetune`")


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
    assert problems({"corpus": CORPUS, **config}, check) == [line]


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


def test_features_of_a_checkpoint(tmp_path):
    def wav2vec(checkpoint, **more):
        return {"corpus": CORPUS, "features": {"kind": "wav2vec", "checkpoint": str(checkpoint), **more}}

    (line,) = problems(wav2vec(""), check)
    assert line.startswith("features.checkpoint: is empty; set it to a folder, a model's name on the Hugging Face hub")
    for path in ("./xlsr", "a/b/c", "/nowhere"):
        (line,) = problems(wav2vec(path), check)
        assert line.startswith(f"features.checkpoint: {path} does not exist")
    for name in ("facebook/wav2vec2-large-xlsr-53@refs/pr/3", tmp_path):  # the stage looks into them
        config = complete(wav2vec(name), SCHEMA)
        check(config)
        assert hop_ms(config) == 20
    sizes = {"hidden_size": 8, "num_hidden_layers": 3, "conv_stride": [5, 2]}
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    assert problems(wav2vec(tmp_path), check) == [
        "pca.dims: 39 is more than the 8 of its input (8 features of 1 frame(s)); lower it",
        f"features.layer: 15 is more than the 3 blocks of {tmp_path}; choose 0 to 3",
    ]
    config = complete({**wav2vec(tmp_path, layer=3), "pca": {"dims": 8}, "audio": {"sample_rate_hz": 8000}}, SCHEMA)
    check(config)
    assert hop_ms(config) == 1.25
    (tmp_path / "config.json").write_text('{"hidden_size": "8", "conv_stride": 5, "num_')
    assert hop_ms(complete(wav2vec(tmp_path), SCHEMA)) == 20
    (tmp_path / "config.json").write_text('{"hidden_size": "8", "conv_stride": 5}')
    check(complete(wav2vec(tmp_path), SCHEMA))
    assert hop_ms(complete({"corpus": CORPUS}, SCHEMA)) == 10


def test_features_of_the_model_that_pretraining_makes(tmp_path):
    (tmp_path / "model.yaml").write_text("num_hidden_layers: 2\nhidden_size: 64\n")
    config = {"corpus": CORPUS, "features": {"kind": "wav2vec", "checkpoint": "pretrain"}}
    config["pretrain"] = {"model": str(tmp_path / "model.yaml")}
    (line,) = problems(config, check)
    assert line == "features.layer: 15 is more than the 2 blocks of pretrain; choose 0 to 2"


def test_own_data_must_exist(tmp_path):
    folder = {"audio": "", "text": str(tmp_path), "transcripts": str(tmp_path / "x.tsv")}
    lines = problems({"corpus": {"name": "a", "kind": "folder", "folder": folder}}, check)
    assert lines[0] == "corpus.folder.audio: is empty; set it to the folder of the audio files"
    assert lines[1].startswith(f"corpus.folder.text: {tmp_path} does not exist (wanted: a text file")
    assert lines[2].startswith(f"corpus.folder.transcripts: {tmp_path}/x.tsv does not exist")
    (tmp_path / "text").touch()
    folder = {"audio": str(tmp_path), "text": str(tmp_path / "text")}
    own = {"corpus": {"name": "a", "kind": "folder", "folder": folder}}
    check(complete(own, SCHEMA))
    few = {"finetune": {"labels": ["pseudo", "1h"], "checkpoint": "pretrain"}}
    line = "finetune.labels: 1h needs corpus.folder.transcripts; set it, or take pseudo alone"
    assert problems({**own, **few}, check) == [line]


def test_data_sets_need_their_root_and_text(tmp_path):
    root = {"root": str(tmp_path)}
    lines = problems({"corpus": {"name": "a", "kind": "mls", "dataset": {**root, "text": "nowhere"}}}, check)
    assert len(lines) == 1 and lines[0].startswith("corpus.dataset.text: nowhere does not exist")
    lines = problems({"corpus": {"name": "a", "kind": "timit", "dataset": {"text": "x"}}}, check)
    keys = ["corpus.dataset.root", "corpus.dataset.text", "phonemize.backend"]
    assert [line.split(":")[0] for line in lines] == keys
    phones = {"phonemize": {"backend": "phones"}}
    timit = {"corpus": {"name": "a", "kind": "timit", "dataset": root}, **phones}
    (line,) = problems(timit, check)
    assert line.startswith("silence.probability: would put silence between the phones")
    check(complete({**timit, "silence": {"probability": 0.0}}, SCHEMA))


def test_every_shipped_file_is_valid():
    assert CORPORA
    for path in CORPORA:
        complete(load(path), SCHEMA)
        complete(merged(load(DEMO), load(path)), SCHEMA)
    assert len(BENCHMARKS) == 9
    for path in BENCHMARKS:
        complete(merged(load(DEMO), load(path)), SCHEMA)
    assert len(GRIDS) == 3
    for path in GRIDS:
        check(complete(merged(load(DEMO), load(path)), SCHEMA))
    for path in (DEMO, *(ROOT / f"config/corpora/{name}.yaml" for name in NEEDS_NO_DATA)):
        check(complete(merged(load(DEMO), load(path)), SCHEMA))


def test_shipped_names_differ():
    names = [load(path)["corpus"]["name"] for path in [DEMO, *CORPORA]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_nothing_of_the_demo_shows_through(path):
    """A file in config/corpora lies over the demo's: what the demo sets, it sets as well."""
    demo = {section: values for section, values in load(DEMO).items() if section != "corpus"}
    over = load(path)
    for section, values in demo.items():
        assert values.keys() <= over.get(section, {}).keys(), section
    assert (load(DEMO)["corpus"].keys() - {"espeak"}) <= over["corpus"].keys()


def test_every_parameter_has_a_kind_and_a_default():
    for name, schema in parameters(load(SCHEMA)):
        assert "type" in schema or "enum" in schema, name
        assert "default" in schema or name in WITHOUT_DEFAULT, name
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name


def test_readme_lists_every_parameter_with_its_default():
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \|(.*)\|$", text, re.MULTILINE)
    known = {name: schema for name, schema in parameters(load(SCHEMA)) if "properties" not in schema}
    assert sorted(name for name, _ in rows) == sorted(known)
    for name, cells in rows:
        if name not in WITHOUT_DEFAULT:
            shown = cells.split("|")[1].strip().strip("`")
            default = known[name]["default"]
            assert shown == (default if isinstance(default, str) and default else json.dumps(default)), name
