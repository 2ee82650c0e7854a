"""pyproject.toml, requirements.txt and envs/*.yaml must pin the same versions."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {*PROJECT["dependencies"], *EXTRAS["dev"]}
LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
LOCK = [line.split(" ;")[0] for line in LINES if line[0] != "#"]  # without the machines that a pin is for
# Where the software is meant to run besides the machine of the tests, as uv names it; macOS from 14 on.
MACHINES = [
    ("3.13", "x86_64-manylinux_2_28"),
    ("3.11", "aarch64-manylinux_2_28"),
    ("3.12", "aarch64-apple-darwin"),
]
SOURCES = ("connection-pool", "docopt", "unicodecsv", "editdistance")  # have no wheels; editdistance lacks that of 3.13


def pip_section(name):
    """Return the pip pins of a conda environment; pip itself must be asked for."""
    environment = yaml.safe_load((ROOT / "envs" / name).read_text(encoding="utf-8"))
    assert {"python=3.11", "pip"} <= {entry for entry in environment["dependencies"] if isinstance(entry, str)}
    return environment["dependencies"][-1]["pip"]


def test_every_pin_is_exact():
    for pin in {*WANTED, *EXTRAS["gpu"], *LOCK}:
        assert re.fullmatch(r"[a-z0-9_.-]+==[\w.]+", pin), pin


def test_the_lock_holds_what_the_project_asks_for():
    assert set(LOCK) >= WANTED
    names = [line.split("==")[0] for line in LOCK]
    assert names == sorted(set(names))


def test_conda_environments_have_the_same_pins():
    assert set(pip_section("cpu.yaml")) == WANTED
    (faiss_gpu,) = EXTRAS["gpu"]
    faiss_cpu = next(pin for pin in WANTED if pin.startswith("faiss-cpu"))
    assert set(pip_section("gpu.yaml")) == WANTED - {faiss_cpu} | {faiss_gpu}


def test_every_import_is_asked_for():
    """What another package happens to bring may be missing in a fresh installation."""
    modules = set()
    for path in (ROOT / "workflow/unscribed").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            modules |= {name.split(".")[0] for name in names}
    modules -= {*sys.stdlib_module_names, "unscribed"}
    distributions = packages_distributions()
    asked = {pin.split("==")[0] for pin in WANTED}
    assert {"numpy", "sklearn", "kaldifst"} <= modules
    for module in modules:
        names = {re.sub(r"[-_.]+", "-", name).lower() for name in distributions[module]}
        assert names & asked, module


@pytest.mark.parametrize(("python", "machine"), MACHINES)
def test_all_packages_exist_for_other_machines(python, machine, tmp_path):
    """The lock is resolved for them, without installing anything."""
    command = [
        Path(sys.executable).with_name("uv"),
        "--quiet",
        "pip",
        "compile",
        "--no-deps",
        ROOT / "requirements.txt",
    ]
    command += ["--python-version", python, "--python-platform", machine, "--only-binary", ":all:"]
    command += [part for name in SOURCES for part in ("--no-binary", name)]
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    found = subprocess.run(
        [*command, "--output-file", tmp_path / "resolved.txt"],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    if "Failed to fetch" in found.stderr or "error sending request" in found.stderr:
        pytest.skip("no package index within reach")
    assert found.returncode == 0, found.stderr
    assert "torch==" in (tmp_path / "resolved.txt").read_text(encoding="utf-8")
