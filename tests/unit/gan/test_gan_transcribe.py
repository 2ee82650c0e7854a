import pytest

from unscribed.calls import closure


@pytest.mark.parametrize("module", ["gan.transcribe", "selection.decode"])
def test_decoding_does_not_depend_on_how_the_runs_are_trained(module: str) -> None:
    """An edit of a loss trains again; what a trained generator says does not change by it."""
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
