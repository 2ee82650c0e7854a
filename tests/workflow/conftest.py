import fcntl
import os
import shutil

import pytest
from workflow_runs import TINY, copy_project, snakemake, write_config

# Long ones first: pytest's workers take file after file, and so they end at about the same time.
FILES = ["test_own_data.py", "test_resume.py", "test_wav2vec_end_to_end.py", "test_end_to_end.py"]


def pytest_collection_modifyitems(config, items):
    """Let workers begin with the long files; a run of one process keeps the order, quick tests first."""
    if hasattr(config, "workerinput"):
        order = {name: place for place, name in enumerate(FILES)}
        items.sort(key=lambda item: order.get(item.path.name, len(order) + ("unit" in item.path.parts)))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A copy of the project with a finished run of the tiny corpus, made once for all of pytest's workers.

    For reading only: take `tiny_copy` to change something.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, outcome = root / "tiny", root / "tiny.outcome"
    with open(root / "tiny.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits, and finds it made
        if not outcome.exists():
            outcome.write_text("failed")
            folder.mkdir()
            copy_project(folder)
            write_config(folder, TINY)
            snakemake(folder)
            outcome.write_text("made")
        assert outcome.read_text() == "made", "the tiny run failed in another test, which shows its output"
    return folder


@pytest.fixture
def tiny_copy(tiny, tmp_path):
    """A copy of the tiny run, with its times and with what Snakemake remembers of it."""
    return shutil.copytree(tiny, tmp_path / "copy", symlinks=True)
