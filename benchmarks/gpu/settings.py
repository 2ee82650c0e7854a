"""Sections of the workflow's configuration with their defaults, for steps that call stages without Snakemake."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from step import ROOT

from unscribed.config.schema import complete

Settings = TypeVar("Settings")
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def defaults() -> dict[str, Any]:
    """Return the configuration of natural-en, complete; other corpora of the queue differ in what is spoken alone."""
    return complete({"corpus": {"name": "natural-en", "kind": "hibari"}}, SCHEMA)


def settings_of(kind: type[Settings], section: Mapping[str, Any], **changes: Any) -> Settings:
    """Make the dataclass `kind` of a stage from the keys of a section that it has."""
    wanted = {field.name: section[field.name] for field in fields(kind) if field.name in section}
    return kind(**{**wanted, **changes})
