"""What the schema finds wrong, and the defaults that it fills in."""

import pytest
import yaml
from helpers.configurations import CORPUS, SCHEMA, schema_mistakes

from unscribed.config.checks import check
from unscribed.config.kinds import KINDS
from unscribed.config.schema import complete, read_schema

WITHOUT_DEFAULT = {"corpus", "corpus.name", "corpus.kind"}


def parameters(schema, path=()):
    """Yield the dotted name and the schema of every section and parameter."""
    for name, child in schema.get("properties", {}).items():
        yield ".".join((*path, name)), child
        yield from parameters(child, (*path, name))


def test_every_default_is_filled_in():
    config = complete({"corpus": {**CORPUS, "espeak": {"train_hours": 1}}, "vad": {"margin_ms": 5.0}}, SCHEMA)
    for name, schema in parameters(read_schema(SCHEMA)):
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
    assert schema_mistakes({"corpus": CORPUS, **section}) == [line]


@pytest.mark.parametrize("text", ["'1'", "1e-3"])  # YAML takes both for text
def test_text_that_looks_like_a_number(text):
    (line,) = schema_mistakes({"corpus": CORPUS, "features": {"hop_ms": yaml.safe_load(text)}})
    assert line.startswith("features.hop_ms: wanted a number, found the text") and "without quotes" in line


def test_all_mistakes_are_listed_and_an_empty_file_is_one():
    assert schema_mistakes({}) == ["corpus: is missing; add it"]
    assert len(schema_mistakes({"corpus": {}, "vad": {"margin_ms": -1, "x": 1}, "pca": 1})) == 5


def test_every_parameter_has_a_kind_and_a_default():
    for name, schema in parameters(read_schema(SCHEMA)):
        assert "type" in schema or "enum" in schema, name
        assert "default" in schema or name in WITHOUT_DEFAULT, name
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name
