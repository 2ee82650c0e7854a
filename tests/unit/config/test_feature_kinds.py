from pathlib import Path

import pytest
import yaml

from unscribed.calls import split_call
from unscribed.config.feature_kinds import LEARNED

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
SPECTRAL = {"mfcc", "logmel"}


def test_the_schema_offers_every_learned_kind() -> None:
    kinds = yaml.safe_load(SCHEMA.read_text())["properties"]["features"]["properties"]["kind"]["enum"]
    assert set(kinds) == SPECTRAL | LEARNED.keys()


@pytest.mark.parametrize("kind", LEARNED)
def test_a_learned_kind_names_a_function_that_loads_its_encoder(kind: str) -> None:
    split_call(LEARNED[kind].encoder)
