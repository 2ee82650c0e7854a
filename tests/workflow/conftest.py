import shutil

import pytest
from workflow_runs import TINY, snakemake, write_config


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The folder of a finished run of the tiny corpus. For reading only: take `tiny_copy` to change something."""
    folder = tmp_path_factory.mktemp("tiny")
    write_config(folder, TINY)
    snakemake(folder)
    return folder


@pytest.fixture
def tiny_copy(tiny, tmp_path):
    """A copy of the tiny run, with its times and with what Snakemake remembers of it."""
    return shutil.copytree(tiny, tmp_path / "copy")
