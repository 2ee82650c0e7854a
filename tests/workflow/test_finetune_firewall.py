"""Fine-tuning: pseudo-labels come from no reference, and what few labels make stays where it is."""

import pytest
from test_firewall import EVALUATION, FOLDER, WITH_REFERENCES, data, readers  # noqa: F401 (a fixture)
from workflow_runs import STAGES, graph, write_config

FINETUNE = {"finetune": {"labels": ["10min", "all", "pseudo"], "rounds": 2, "checkpoint": "some/model"}}
MODELS = ["10min", "all", "pseudo1", "pseudo2"]


@pytest.fixture
def jobs(data):  # noqa: F811
    write_config(data, {**WITH_REFERENCES["folder"], **FINETUNE})
    return graph(data, "all", *STAGES, "finetune")


def test_pseudo_labels_know_no_references(jobs):
    made = [job for job in jobs if any("/finetune/pseudo" in name for name in job["output"])]
    assert {"finetune_pseudo_labels", "finetune_train", "ctc_greedy", "ctc_tune"} <= {job["rule"] for job in made}
    assert readers(made) == {"finetune_evaluate_words"}


def test_few_labels_stay_below_their_own_folder(jobs):
    apart = [job for job in jobs if any("/finetune/" in name for name in job["output"])]
    assert {"finetune_labels", "finetune_train"} <= readers(apart)
    for job in jobs:
        for labels in MODELS[:2]:
            told = [name for name in job["input"] if f"/finetune/{labels}/" in name]
            inside = all(f"/finetune/{labels}/" in name for name in job["output"])
            assert not told or inside or job["rule"] == "finetune", job["rule"]
    assert readers([job for job in jobs if job not in apart]) <= EVALUATION | {"all", "finetune"}


def test_nothing_is_fine_tuned_unless_asked(data):  # noqa: F811
    write_config(data, WITH_REFERENCES["folder"])
    assert not [job for job in graph(data, "all", *STAGES, "finetune") if job["rule"].startswith("finetune_")]
