"""Check a configuration against the schema and fill in the defaults.

`unscribed.config.checks` then checks that its values fit each other.
Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from unscribed.config.problems import Json, stop_for

# The types of JSON as messages name them.
TYPE_NAMES = {
    "object": "a section (indented `key: value` lines)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
# The keywords of the schema for limits, in the order of the words in `_range`.
RANGES = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def read_schema(path: str | Path) -> dict[str, Any]:
    """Read the schema with libyaml, in a tenth of the half second that the parser in Python takes."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader)


def complete(config: Json, schema_path: str | Path) -> dict[str, Any]:
    """Return `config` with every default of the schema filled in; files are not looked at.

    Raises UserError with one line per mistake: its key, what is wrong and what to write instead.
    """
    schema = read_schema(schema_path)
    sections = _sections_by_key(schema)
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: _key(error.absolute_path))
    problems = [line for error in errors for line in _lines(error, sections)]
    stop_for([*problems, *_not_finite(config, ())])
    return _filled(config, schema)


# The messages of `complete`


def _key(path: Sequence[Any]) -> str:
    """The dotted name of a key or item, for example `match.clusters[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _sections_by_key(schema: Json, path: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """The dotted names of the sections that have a key, for every key of the schema."""
    sections: dict[str, list[str]] = {}
    for name, child in schema.get("properties", {}).items():
        sections.setdefault(name, []).append(_key(path))
        for inner, found in _sections_by_key(child, (*path, name)).items():
            sections.setdefault(inner, []).extend(found)
    return sections


def _lines(error: ValidationError, sections: Mapping[str, list[str]]) -> Iterator[str]:
    key, schema, found = _key(error.absolute_path) or "the configuration", error.schema, error.instance
    if error.validator == "additionalProperties":
        known = schema["properties"]
        yield from (_unknown(error.absolute_path, name, known, sections) for name in found if name not in known)
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in found]
        yield from (_missing(_key([*error.absolute_path, name]), schema["properties"][name]) for name in missing)
    elif error.validator == "type":
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        wanted = " or ".join(TYPE_NAMES[kind] for kind in kinds)
        yield f"{key}: wanted {wanted}, found {_described(found)}{_quoting(found, kinds)}"
    elif error.validator == "enum":
        choices = [str(choice) for choice in schema["enum"]]
        yield f"{key}: {found!r} is not one of {', '.join(choices)}{_did_you_mean(_nearest(found, choices))}"
    elif error.validator in RANGES:
        yield f"{key}: {found} is out of range, wanted {_range(schema)}"
    elif key == "corpus.name" and error.validator == "pattern":
        yield f"{key}: {found!r} cannot name a folder; use letters, digits, dots, hyphens and underscores"
    else:
        yield f"{key}: {error.message}"


def _missing(key: str, schema: Json) -> str:
    choices = f" as one of {', '.join(schema['enum'])}" if "enum" in schema else ""
    return f"{key}: is missing; add it{choices}"


def _unknown(path: Sequence[Any], name: Any, known: Json, sections: Mapping[str, list[str]]) -> str:
    start = f"{_key([*path, str(name)])}: unknown key"
    section, dot, last = str(name).rpartition(".")
    if dot and section in sections.get(last, ()):
        return f"{start}; write `{last}` indented below `{section.replace('.', ':` and `')}:`"
    if found := sections.get(str(name)):
        places = " or ".join(f"`{section}`" if section else "the top level" for section in found)
        return f"{start}; `{name}` belongs to {places}" + ("; check the indentation" if "" in found else "")
    if near := _nearest(name, known):
        return f"{start}{_did_you_mean(_key([*path, near]))}"
    if near := _nearest(name, sections):
        meant = " or ".join(_key([*filter(None, [section]), near]) for section in sections[near])
        return f"{start}{_did_you_mean(meant)}"
    return f"{start}; known here: {', '.join(known)}"


def _nearest(word: Any, known: Sequence[str] | Json) -> str | None:
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _did_you_mean(name: str | None) -> str:
    return f"; did you mean {name}?" if name else ""


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"a section with the keys {', '.join(map(str, value))}" if value else "an empty section"
    return f"the text {value!r}" if isinstance(value, str) else repr(value)


def _quoting(found: Any, wanted: Sequence[str]) -> str:
    """A hint for values that YAML reads as another type than was meant."""
    if found is None:
        return "; give a value, or remove the line for the default"
    if "string" in wanted and isinstance(found, (bool, int, float)):
        return "; put it in quotes"
    meant = isinstance(found, str) and (_is_number(found) or found.lower() in ("true", "false"))
    if not meant or {"integer", "number", "boolean"}.isdisjoint(wanted):
        return ""
    return (
        "; in a file, write it without quotes and an exponent as in 1.0e-3 "
        "(`--config` makes text of nested values: use a file and `--configfile`)"
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _range(schema: Json) -> str:
    """The allowed range in words, for example `above 0 and at most 1`."""
    words = dict(zip(RANGES, ("at least", "above", "at most", "below"), strict=True))
    return " and ".join(f"{words[name]} {schema[name]}" for name in RANGES if name in schema)


def _not_finite(value: Any, path: tuple[Any, ...]) -> Iterator[str]:
    """Yield a mistake for each NaN or infinity, which the schema's limits do not catch."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _not_finite(child, (*path, name))
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{_key(path)}: wanted a finite number, found {value}"


def _filled(value: Any, schema: Json) -> Any:
    if schema.get("type") == "integer":
        return int(value)  # the schema accepts 2.0 as a whole number, range() does not
    if isinstance(value, list):
        return [_filled(item, schema.get("items", {})) for item in value]
    if not isinstance(value, Mapping):
        return value
    properties = schema.get("properties", {})
    given = {name: value[name] if name in value else child.get("default") for name, child in properties.items()}
    return {name: _filled(child, properties[name]) for name, child in given.items()}
