"""Unpack what pack.sh gathered; for a rehearsal, make a Python that sees only what the machine with the GPU has.

    python benchmarks/gpu/environment.py FOLDER        a virtual environment with the packages of machine.txt

The packages are links to those of the Python that runs this.
"""

import sys
import tarfile
import venv
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

HERE = Path(__file__).resolve().parent


def unpack(packed: Path, work: Path) -> None:
    """Unpack the packages for this version of Python to the folder `site` of `work`, unless they are there.

    Raises SystemExit if there are none.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    archives = sorted((packed / version).glob("*.tar.xz"))
    site, partial = work / "site", work / "site.partial"
    if site.exists():
        return
    if not archives:
        raise SystemExit(
            f"{packed / version} has no packages: run benchmarks/gpu/pack.sh {version} where there is a network, and "
            "bring that folder here."
        )
    partial.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:  # lzma works without the interpreter lock
        list(pool.map(lambda archive: _extract(archive, partial), archives))
    (partial / "contents.txt").write_bytes((packed / version / "contents.txt").read_bytes())
    partial.rename(site)


def _extract(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")


def contents(work: Path) -> list[str]:
    """What is packed and what was left out, a line each."""
    listed = work / "site/contents.txt"
    return listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []


def machine_names(listed: Path = HERE / "machine.txt") -> list[str]:
    """The packages that the machine with the GPU has."""
    lines = listed.read_text(encoding="utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def with_requirements(names: list[str]) -> dict[str, Distribution]:
    """The installed packages among `names`, and those that they need in this environment."""
    from packaging.requirements import Requirement  # here: the machine's Python may run this file without packages

    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # of the machine only, or for another platform
        for wanted in map(Requirement, found[name].requires or []):
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return found


def make_python(folder: Path) -> None:
    """Make a virtual environment in `folder` and link the machine's packages into it."""
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for package in with_requirements(machine_names()).values():
        tops = {file.parts[0] for file in package.files or [] if file.parts[0] not in ("..", "/", "__pycache__")}
        for top in sorted(tops):
            if not (site / top).exists():  # several packages share a folder such as nvidia
                (site / top).symlink_to(Path(str(package.locate_file(top))).resolve())


if __name__ == "__main__":
    make_python(Path(sys.argv[1]))
