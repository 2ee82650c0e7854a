"""Complete configurations for tests: the given values, and defaults for the rest."""

from pathlib import Path
from typing import Any

import pytest

from unscribed.config.checks import check
from unscribed.config.schema import complete
from unscribed.errors import UserError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CORPUS = {"name": "a", "kind": "espeak"}


def configuration(corpus: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    """A complete configuration, by default of a spoken corpus named `a`; its values are not checked."""
    return complete({"corpus": {**CORPUS, **(corpus or {})}, **sections}, SCHEMA)


def schema_mistakes(config: dict[str, Any]) -> list[str]:
    """The lines after the first of the error that the schema finds in `config`."""
    with pytest.raises(UserError) as caught:
        complete(config, SCHEMA)
    return _lines(caught.value)


def mistakes(config: dict[str, Any]) -> list[str]:
    """The lines after the first of the error that the checks find in `config`, of which the schema finds none."""
    with pytest.raises(UserError) as caught:
        check(complete(config, SCHEMA))
    return _lines(caught.value)


def _lines(error: UserError) -> list[str]:
    first, *lines = str(error).split("\n  ")
    assert "config/README.md" in first and first.startswith(f"{len(lines)} mistake")
    return lines
