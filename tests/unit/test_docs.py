"""What the documentation says of files, columns and rooms is there."""

import re
import tomllib
from pathlib import Path

import pytest

from unscribed import tables

ROOT = Path(__file__).parents[2]
PAGES = [
    path
    for pattern in ("*.md", "docs/*.md", "config/*.md", "benchmarks/*.md", "profiles/*.md")
    for path in sorted(ROOT.glob(pattern))
]
FILE = re.compile(r"(?<![\w/<.-])(?:benchmarks|config|docs|envs|profiles|resources|tests|workflow)/[\w./-]+\.\w+")


def anchors(page: Path) -> set[str]:
    """The names by which headings of a page are linked."""
    headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]*)\)", page.read_text(encoding="utf-8"))
    for link in links:
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [name for name in FILE.findall(text) if not (ROOT / name).exists()] == []


def test_the_columns_of_every_table_are_documented_together() -> None:
    kinds = [kind for kind in vars(tables).values() if isinstance(kind, type) and issubclass(kind, tables.Table)]
    lines = (ROOT / "docs/artifacts.md").read_text(encoding="utf-8").splitlines()
    for kind in kinds:
        columns = [f"`{name}`" for name in getattr(kind, "SCHEMA", ())]
        assert any(all(column in line for column in columns) for line in lines), kind.__name__


def test_the_rooms_are_on_the_floors_that_lint_checks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (found for found in project["tool"]["importlinter"]["contracts"] if found["type"] == "layers")
    floors = [re.findall(r"\w+", layer) for layer in contract["layers"]]
    rows = re.findall(r"^\| (\d*) ?\| (`[^|]*`) \|", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE)
    documented: list[list[str]] = []
    for floor, rooms in rows:
        if floor:
            documented.append([])
        documented[-1] += re.findall(r"`(\w+)`", rooms)
    assert [set(rooms) for rooms in documented] == [set(rooms) for rooms in floors]
    assert [int(floor) for floor, _ in rows if floor] == list(range(len(floors), 0, -1))
