"""The sources and the settings of a rule's function, on small packages and on the workflow's own."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unscribed import calls
from unscribed.calls import PACKAGE, closure, modules, settings_fields, split_call, takes

Package = Callable[[dict[str, str]], None]
CACHED = (calls.modules, calls.imported, calls._tree, calls._definitions)
# Prints for every module which of the package are loaded once it is imported; libraries are loaded only once.
IMPORT_EACH = """
import importlib, json, sys
for name in sys.argv[1:]:
    for loaded in [found for found in sys.modules if found.split(".")[0] == "unscribed"]:
        del sys.modules[loaded]
    importlib.import_module(name)
    print(json.dumps([name, [found for found in sys.modules if found.split(".")[0] == "unscribed"]]))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Writes the files of a package of the same name, which takes the place of the workflow's own."""
    root = tmp_path / "unscribed"
    monkeypatch.setattr(calls, "PACKAGE", root)

    def write(files: dict[str, str]) -> None:
        for name, text in {"__init__.py": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        for cached in CACHED:
            cached.cache_clear()

    yield write
    for cached in CACHED:
        cached.cache_clear()


def files(paths: list[Path]) -> list[str]:
    return [path.relative_to(calls.PACKAGE).as_posix() for path in paths]


@pytest.mark.parametrize(
    "line",
    [
        "from unscribed.audio import io",
        "from unscribed.audio.io import read",
        "import unscribed.audio.io",
        "import numpy, unscribed.audio.io as audio",
        "def later():\n    if True:\n        from unscribed.audio.io import read",
        "try:\n    pass\nexcept OSError:\n    from unscribed.audio.io import read",
        "class Reader:\n    from unscribed.audio.io import read",
        "match 1:\n    case 1:\n        from unscribed.audio.io import read",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    from unscribed.audio.io import read",
    ],
)
def test_every_way_to_import_a_module_counts(package: Package, line: str) -> None:
    """Its package counts, too, as its `__init__` runs first; its neighbours do not."""
    package({"first.py": line, "audio/__init__.py": "", "audio/io.py": "", "audio/vad.py": ""})
    assert files(closure("first")) == ["__init__.py", "audio/__init__.py", "audio/io.py", "first.py"]


def test_imports_are_followed_through_modules_packages_and_circles(package: Package) -> None:
    package(
        {
            "gan/__init__.py": "from unscribed import errors",
            "gan/train.py": "from unscribed.gan.job import Job",
            "gan/job.py": "from unscribed.gan import train\nimport unscribed_other.thing\nfrom json import loads",
            "gan/losses.py": "from unscribed.gan import train",
            "errors.py": "",
        }
    )
    made_of = ["__init__.py", "errors.py", "gan/__init__.py", "gan/job.py", "gan/train.py"]
    assert files(closure("gan.train")) == files(closure("gan.job")) == made_of
    assert files(closure("errors", "gan.losses")) == [*made_of[:4], "gan/losses.py", "gan/train.py"]


def test_what_only_type_checkers_import_does_not_run_a_rule_again(package: Package) -> None:
    package(
        {
            "first.py": "import typing\nif typing.TYPE_CHECKING:\n    from unscribed.second import Second",
            "second.py": "",
        }
    )
    assert files(closure("first")) == ["__init__.py", "first.py"]


def test_settings_are_the_fields_of_the_arguments_dataclass(package: Package) -> None:
    package(
        {
            "vad.py": "from unscribed.settings import VadSettings\n"
            "def vad(manifest: str, *, settings: VadSettings, other: Path, text: 'VadSettings'): ...\n"
            "class Silence: ...",
            "settings.py": "class VadSettings:\n    NAMES = ['a']\n    method: str\n    margin_ms: int = 3\n"
            "    def check(self): ...",
        }
    )
    assert settings_fields("vad:vad", "settings") == ["method", "margin_ms"]
    assert takes("vad:vad", "other") and takes("vad:vad", "manifest") and not takes("vad:vad", "threads")
    for call, argument, message in [
        ("vad:vad", "silence", "no argument silence"),
        ("vad:vad", "text", "no argument text that is annotated with a class"),
        ("vad:vad", "other", "Path is not a class of the package"),
        ("vad:hmm", "settings", "vad:hmm: there is no such function"),
        ("gan.vad:vad", "settings", "gan.vad:vad: there is no such function"),
        ("vad", "settings", "vad: there is no such function"),
    ]:
        with pytest.raises(ValueError, match=message):
            settings_fields(call, argument)


def test_a_call_names_module_and_function() -> None:
    assert split_call("hmm.train:hmm_train") == ("hmm.train", "hmm_train")


def test_importing_a_module_loads_nothing_that_its_closure_lacks() -> None:
    """For every module of the workflow. Those without a rule are held to it, too."""
    of = {f"unscribed.{name}" if name else "unscribed": name for name in modules()}
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *of], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert run.returncode == 0, run.stderr
    loaded = dict(map(json.loads, run.stdout.splitlines()))
    assert loaded.keys() == of.keys()
    for name, others in loaded.items():
        assert {modules()[of[other]] for other in others} <= set(closure(of[name])), name


def test_no_module_is_imported_in_a_way_that_the_closure_does_not_see() -> None:
    """Relative imports are banned by ruff. By a name made while running, only a rule's function and, for users of the
    package and never for a stage, the recogniser are loaded."""
    loaders = {
        files([path])[0]
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
        and (getattr(node, "attr", None) or getattr(node, "id", None)) in {"import_module", "__import__"}
    }
    assert loaders == {"stage.py", "__init__.py"}


def test_an_edit_of_a_loss_repeats_no_decoding() -> None:
    """Only the training of the GAN is made of its losses."""
    losses = modules()["gan.losses"]
    for name in ("selection.decode", "acoustic.decode", "gan.transcribe", "hmm.train", "hmm.tune", "hmm.words"):
        assert losses not in closure(name), name
    assert losses in closure("gan.train")


def test_a_reader_of_a_corpus_is_made_of_no_other_reader() -> None:
    """A rule of the corpus names its function and the reader; `link` joins the sources of both."""
    sources = files(closure("corpora.build", "corpora.timit"))
    assert "corpora/timit.py" in sources and "corpora/mls.py" not in sources
    assert "corpora/timit.py" not in files(closure("corpora.build"))
