"""The configurations that come with the workflow."""

import pytest
import yaml
from helpers.configurations import ROOT, SCHEMA

from unscribed.config.checks import check
from unscribed.config.schema import complete

DEMO = ROOT / "config/config.yaml"
CORPORA = sorted((ROOT / "config/corpora").glob("*.yaml"))
GRIDS = sorted((ROOT / "config/gan").glob("*.yaml"))
BENCHMARKS = sorted((ROOT / "config/benchmarks").glob("*.yaml"))
NEEDS_NO_DATA = ("demo-unmatched", "natural-en", "natural-en-audio")


def merged(base, over):
    """`over` laid over `base`, as Snakemake lays --configfile over the workflow's own file."""
    both = {name: merged(base[name], over[name]) for name in base.keys() & over.keys() if isinstance(base[name], dict)}
    return {**base, **over, **both}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_shipped_file_is_valid():
    assert CORPORA
    for path in CORPORA:
        complete(load(path), SCHEMA)
        complete(merged(load(DEMO), load(path)), SCHEMA)
    assert len(BENCHMARKS) == 11
    for path in BENCHMARKS:
        complete(merged(load(DEMO), load(path)), SCHEMA)
    assert len(GRIDS) == 3
    for path in GRIDS:
        check(complete(merged(load(DEMO), load(path)), SCHEMA))
    for path in (DEMO, *(ROOT / f"config/corpora/{name}.yaml" for name in NEEDS_NO_DATA)):
        check(complete(merged(load(DEMO), load(path)), SCHEMA))


def test_shipped_names_differ():
    names = [load(path)["corpus"]["name"] for path in [DEMO, *CORPORA]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_nothing_of_the_demo_shows_through(path):
    """A file in config/corpora lies over the demo's: what the demo sets, it sets as well."""
    demo = {section: values for section, values in load(DEMO).items() if section != "corpus"}
    over = load(path)
    for section, values in demo.items():
        assert values.keys() <= over.get(section, {}).keys(), section
    assert (load(DEMO)["corpus"].keys() - {"espeak"}) <= over["corpus"].keys()
