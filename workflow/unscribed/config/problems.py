"""Mistakes in a configuration: one line each, collected in one error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from unscribed.errors import UserError

Json = Mapping[str, Any]


def stop_for(problems: Sequence[str]) -> None:
    """Raise UserError with one line per problem, if there are any."""
    problems = list(dict.fromkeys(problems))  # jsonschema's error for a missing key lists all that are missing
    if problems:
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise UserError(f"{count} in the configuration (config/README.md explains every parameter):{listing}")


def needs(value: str, key: str, what: str, exists: Callable[[Path], bool]) -> Iterator[str]:
    """Yield a mistake if the path `value` of a key is empty or does not exist; `what` describes what is wanted."""
    if not value:
        yield f"{key}: is empty; set it to {what}"
    elif not exists(Path(value)):
        yield f"{key}: {value} does not exist (wanted: {what}, relative to {Path.cwd()})"


def ordered(section: Json, name: str, low: str, high: str, strict: bool = False) -> Iterator[str]:
    """Yield a mistake if the key `low` of a section has a larger value than `high`, or with `strict` the same."""
    if section[low] > section[high] or (strict and section[low] == section[high]):
        wanted = "below" if strict else "at most"
        yield f"{name}.{low}: {section[low]} must be {wanted} {name}.{high}, which is {section[high]}"
