"""Transcripts: how they are read, and that nothing else in the package reads them."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.tables import filled

from unscribed.calls import PACKAGE, modules
from unscribed.references import read_references, transcripts
from unscribed.tables import ReferenceTable

CONTRACT = "Only what may know transcripts imports their reader"
LEAKS = {
    "matching/match.py": "from unscribed.references import transcripts",
    "selection/select.py": "import unscribed.references",
    "acoustic/train.py": "def peek():\n    from unscribed import references",
}


def test_transcripts_are_composed_and_empty_where_unknown(tmp_path: Path) -> None:
    path = tmp_path / "references.parquet"
    filled(ReferenceTable, utterance=["u1", "u2"], words=["cafe\u0301", ""], phones=[["k", "a"], []]).write(path)
    assert transcripts(path) == {"u1": "caf\u00e9", "u2": ""}
    assert list(read_references(path)["phones"][0]) == ["k", "a"]


def test_the_table_of_references_is_read_by_one_module_and_written_by_the_corpora() -> None:
    users = {}
    for name, path in modules().items():
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        named = {node.id for node in nodes if isinstance(node, ast.Name)}
        named |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
        if "ReferenceTable" in named | {node.attr for node in nodes if isinstance(node, ast.Attribute)}:
            of_the_class = [
                node
                for node in nodes
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ReferenceTable"
            ]
            users[name] = {node.attr for node in of_the_class}
    assert users.pop("references") == {"read"}
    assert users.keys() == {"corpora.layout"} and users["corpora.layout"].isdisjoint({"read", "by_utterance"})


def lint(root: Path) -> str:
    """Report of `make lint` on the imports of a package below `root`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, and the contracts beside it."""
    shutil.copy(PACKAGE.parents[1] / "pyproject.toml", tmp_path)
    return shutil.copytree(PACKAGE, tmp_path / "unscribed", ignore=shutil.ignore_patterns("__pycache__"))


def test_nothing_unsupervised_imports_the_reader(package: Path) -> None:
    """Nor can it come to do so: the test of the test."""
    assert f"{CONTRACT} KEPT" in lint(package.parent)
    for name, line in LEAKS.items():
        with open(package / name, "a", encoding="utf-8") as file:
            file.write(f"\n\n{line}\n")
    report = lint(package.parent)
    assert f"{CONTRACT} BROKEN" in report
    for name in LEAKS:
        assert f"unscribed.{name[:-3].replace('/', '.')} -> unscribed.references" in report
