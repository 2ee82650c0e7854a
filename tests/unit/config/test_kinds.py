import dataclasses
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml

from unscribed.calls import takes
from unscribed.config.kinds import KINDS
from unscribed.stage import named_function

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
KEYS = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["properties"]["corpus"]["properties"]


def test_the_schema_knows_the_same_kinds() -> None:
    assert KEYS["kind"]["enum"] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_section_and_a_reader_that_takes_it(kind: str) -> None:
    speaks, section = KINDS[kind].speaks, set(KEYS[KINDS[kind].section]["properties"])
    readers = [f"corpora.{kind}:make_corpus", *([] if speaks else [f"corpora.{kind}:make_references"])]
    for reader in readers:
        settings = get_type_hints(named_function(reader))["settings"]
        assert {field.name for field in dataclasses.fields(settings)} == section, reader
    assert takes(readers[0], "audio") == (speaks or "cut" in section)  # a folder for speech, or for pieces
