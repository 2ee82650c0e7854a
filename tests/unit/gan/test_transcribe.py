import pytest

from unscribed.calls import closure


@pytest.mark.parametrize("module", ["gan.transcribe", "selection.decode"])
def test_decoding_does_not_depend_on_how_the_runs_are_trained(module: str) -> None:
    """After an edit of a loss, runs train again; modules that only decode with trained runs have not changed."""
    sources = {path.stem for path in closure(module) if path.parent.name == "gan"}
    assert {"transcribe", "generator"} < sources
    assert not sources & {
        "losses",
        "penalties",
        "runs",
        "trainer",
        "train",
        "job",
        "check",
        "discriminator",
        "optimizer",
    }
