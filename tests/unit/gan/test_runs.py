from pathlib import Path

import pytest
import yaml

from unscribed.gan.check import verdict
from unscribed.gan.penalties import PENALTIES
from unscribed.gan.runs import GRID, GanSettings, all_runs, run_label

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"


@pytest.mark.parametrize(
    ("losses", "hypotheses", "usage", "wanted"),
    [
        ({"generator": 0.7}, [["a", "b"], ["b"], ["t"]], 0.8, "ok"),
        ({"generator": float("inf")}, [["a"], ["b"]], 0.8, "diverged: generator is not a finite number"),
        ({}, [["a"], ["b"]], 0.1, "collapsed: only 10% of the phones are used"),
        ({}, [["a", "<SIL>"], ["a"], ["b"]], 0.8, "collapsed: the same phones for 2 of 3 utterances"),
        ({}, [["a"]], 0.8, "ok"),
    ],
)
def test_verdict(losses: dict, hypotheses: list, usage: float, wanted: str) -> None:
    assert verdict(losses, hypotheses, usage) == wanted


def test_the_grid_is_seeds_times_settings_seed_by_seed() -> None:
    grid = {**{name: [0.5] for name in GRID}, "start": ["match"], "gradient_penalty": [1.5, 2.0], "diversity": [2, 4]}
    section = {"seeds": [4, 5], **grid}
    runs = all_runs(section)
    assert [run["seed"] for run in runs] == [4] * 4 + [5] * 4
    assert [(run["gradient_penalty"], run["diversity"]) for run in runs[:4]] == [(1.5, 2), (1.5, 4), (2.0, 2), (2.0, 4)]
    assert all_runs({**section, "seeds": [4]}) == runs[:4]
    assert run_label(runs[0]).startswith("match gp1.5 sm0.5 div2") and run_label(runs[0]).endswith(" seed4")
    assert len({run_label(run) for run in runs}) == len(runs)


def test_a_penalty_has_weights_in_the_grid_or_one_for_all_runs() -> None:
    keys = yaml.safe_load(SCHEMA.read_text())["properties"]["gan"]["properties"]
    for name in PENALTIES:
        assert keys[name]["type"] == ("array" if name in GRID else "number"), name
        assert (name in GRID) != (name in GanSettings.__dataclass_fields__), name
