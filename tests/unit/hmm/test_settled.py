from pathlib import Path
from types import SimpleNamespace

import pytest

from unscribed.artifacts import write_json
from unscribed.hmm.decode import hmm_decode
from unscribed.hmm.settled import passed_on
from unscribed.hmm.train import hmm_train
from unscribed.hmm.tune import hmm_tune
from unscribed.wfst.search import SearchSettings


@pytest.fixture
def before(tmp_path: Path) -> SimpleNamespace:
    """Files of a step whose model differs from the one before it in 1.5 % of the phones."""
    write_json(tmp_path / "weights.json", {"lm_weight": 20.0, "insertion_penalty": 0.0, "score": 0.015})
    (tmp_path / "made").write_bytes(b"by the step before")
    return SimpleNamespace(weights=tmp_path / "weights.json", made=tmp_path / "made")


@pytest.mark.parametrize(("settled", "expected"), [(0.02, True), (0.015, False), (0.0, False)])
def test_fewer_edits_than_asked_for_end_self_training(
    before: SimpleNamespace, tmp_path: Path, settled: float, expected: bool
) -> None:
    target = tmp_path / "step4/made"
    assert passed_on(before.weights, settled, {target: before.made}) is expected
    assert target.exists() is expected
    if expected:
        assert target.read_bytes() == b"by the step before"


@pytest.mark.parametrize("none", [None, []])
def test_a_step_of_another_kind_is_never_passed_over(tmp_path: Path, none: list | None) -> None:
    assert not passed_on(none, 1.0, {tmp_path / "made": none})


def test_the_stages_of_a_step_pass_on_what_the_step_before_made(before: SimpleNamespace, tmp_path: Path) -> None:
    """None of them looks at its other files, which do not even exist here."""
    none = tmp_path / "none"
    given = {"features": none, "settled": 0.02, "before": before.made, "before_weights": before.weights, "threads": 1}
    made = [tmp_path / name for name in ("model", "decoded", "tuning")]
    search = SearchSettings(beam=1.0, max_active=1)
    texts = {"labels": none, "phones": none, "kind": {}, "settings": None, "network": None}
    hmm_train(**given, **texts, seed=0, model=made[0])
    hmm_decode(**given, model=none, graph=none, weights=none, search=search, decoded=made[1])
    files = {"model": none, "graph": none, "labels": None, "partners": [], "partner_graphs": [], "arpa": none}
    settings = {"grid": None, "search": search, "silence": None, "seed": 0}
    hmm_tune(**given, **files, **settings, tuning=made[2], weights=tmp_path / "new.json")
    assert {path.read_bytes() for path in made} == {b"by the step before"}
    assert (tmp_path / "new.json").read_bytes() == before.weights.read_bytes()
