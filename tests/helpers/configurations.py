"""Complete configurations for tests: what matters is given, the rest has its default."""

from pathlib import Path
from typing import Any

from unscribed.config.schema import complete

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"


def configuration(corpus: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    """A complete configuration, by default of a spoken corpus named `a`; its values are not checked."""
    return complete({"corpus": {"name": "a", "kind": "espeak", **(corpus or {})}, **sections}, SCHEMA)
