"""Write the tables of config/README.md from the schema; `make config-docs` runs this module.

A parameter's unit is its `x-unit`, the origin of its default its `x-source`. A section's `title` and `description`
stand before its table, its `x-notes` after it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from unscribed.config.load import SCHEMA
from unscribed.config.problems import Json
from unscribed.config.schema import read_schema

COMMAND = "make config-docs"
ROOT = Path(__file__).parents[3]
README = "config/README.md"
MARK = f"<!-- From here on, `{COMMAND}` writes this file from {SCHEMA}: change it there. -->"
HEADER = "| parameter | unit | default | source | meaning and when to change it |\n| --- | --- | --- | --- | --- |"


def documented(readme: str, schema: Json) -> str:
    """Return the text of config/README.md: unchanged up to MARK, then the sections of the schema."""
    head, mark, _ = readme.partition(MARK)
    if not mark:
        raise ValueError(f"{README} has no line {MARK}: put it before the tables")
    return "\n\n".join([head + mark, *_sections(schema, ())]) + "\n"


def parameters(schema: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Json]]:
    """Yield the dotted name and the schema of every parameter, in order."""
    for name, child in schema["properties"].items():
        if "properties" in child:
            yield from parameters(child, (*path, name))
        else:
            yield ".".join((*path, name)), child


def _sections(schema: Json, path: tuple[str, ...]) -> Iterator[str]:
    """Yield headings, paragraphs and tables of all sections below `schema`."""
    for name, child in schema["properties"].items():
        if "properties" in child:
            place = (*path, name)
            yield f"{'#' * (1 + len(place))} {'.'.join(place)}: {child['title']}"
            yield from filter(None, [child.get("description", "").strip()])
            own = {key: value for key, value in child["properties"].items() if "properties" not in value}
            yield "\n".join([HEADER, *(_row(".".join((*place, key)), value) for key, value in own.items())])
            yield from filter(None, [child.get("x-notes", "").strip()])
            yield from _sections(child, place)


def _row(name: str, schema: Json) -> str:
    default = f"`{_shown(schema['default'])}`" if "default" in schema else "required"
    cells = [f"`{name}`", schema.get("x-unit", ""), default, schema.get("x-source", ""), schema["description"]]
    return "|" + "|".join(f" {cell} ".replace("  ", " ").replace("|", "\\|") for cell in cells) + "|"


def _shown(value: object) -> str:
    """A default value as one writes it in YAML."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write config/README.md."""
    path = ROOT / README
    path.write_text(documented(path.read_text(encoding="utf-8"), read_schema(ROOT / SCHEMA)), encoding="utf-8")


if __name__ == "__main__":
    main()
