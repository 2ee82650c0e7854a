import sys
import tarfile
from importlib.metadata import distributions
from pathlib import Path

import environment
import pytest

ROOT = Path(__file__).parents[3]


def _pack(folder: Path) -> Path:
    version = folder / f"{sys.version_info.major}.{sys.version_info.minor}"
    version.mkdir(parents=True)
    (folder / "module.py").write_text("value = 1")
    with tarfile.open(version / "one.tar.xz", "w:xz") as archive:
        archive.add(folder / "module.py", "module.py")
    (version / "contents.txt").write_text("one==1, 5 bytes\nleft out: two==2, 9 bytes do not fit\n")
    return folder


def test_packages_are_unpacked_once(tmp_path: Path) -> None:
    packed, work = _pack(tmp_path / "packed"), tmp_path / "work"
    environment.unpack(packed, work)
    assert (work / "site/module.py").read_text() == "value = 1"
    assert environment.contents(work) == ["one==1, 5 bytes", "left out: two==2, 9 bytes do not fit"]
    (work / "site/module.py").write_text("value = 2")
    environment.unpack(packed, work)
    assert (work / "site/module.py").read_text() == "value = 2"


def test_packages_that_were_not_gathered(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no packages: run benchmarks/gpu/pack\.sh 3\.\d+ where"):
        environment.unpack(tmp_path, tmp_path / "work")
    assert environment.contents(tmp_path / "work") == []


def test_the_rehearsal_sees_what_the_machine_has_and_nothing_else() -> None:
    names = set(environment.with_requirements(environment.machine_names()))
    assert {"torch", "transformers", "pytest", "numpy", "filelock"} <= names
    installed = {package.metadata["Name"].lower().replace("_", "-") for package in distributions()}
    assert {"snakemake", "soundfile", "faiss-cpu", "espeakng-loader"} <= installed - names


def test_what_is_packed_is_pinned_and_not_on_the_machine() -> None:
    lines = (ROOT / "benchmarks/gpu/packages.txt").read_text(encoding="utf-8").splitlines()
    packages = [line.split()[0] for line in lines if not line.startswith("#")]
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert [name for name in packages if f"\n{name}==" not in pinned] == []
    assert not set(packages) & set(environment.machine_names())
