import logging
import math
from pathlib import Path

import numpy as np
import pytest

from unscribed.artifacts import read_json, write_json
from unscribed.errors import UserError
from unscribed.wfst.tuning import GridSettings, Labels, Trial, TuningTable, best, tune, write_tuning
from unscribed.wfst.weights import Weights, read_weights

PSEUDO = Labels({"u": ["a", "b", "c"], "v": ["a"], "w": ["b", "c"], "empty": []}, fluency=True)
GRID = GridSettings(lm_weights=[10, 20], insertion_penalties=[0.0, 1.0], tune_utterances=9)


def test_edit_rate_by_hand() -> None:
    """One symbol missing, one wrong, one too many: three edits for six symbols."""
    assert PSEUDO.edit_rate([("u", ["a", "c"]), ("v", ["b"]), ("w", ["b", "c", "c"])]) == 3 / 6
    assert PSEUDO.edit_rate(PSEUDO.symbols.items()) == 0
    assert PSEUDO.edit_rate([("v", [])]) == 1 and PSEUDO.edit_rate([("v", ["b", "b", "b"])]) == 3
    assert PSEUDO.edit_rate([]) == 0


def test_random_utterances_with_labels_are_chosen_by_the_seed() -> None:
    names = [f"u{number}" for number in range(50)]
    labels = Labels({name: ["a"] * (number % 2) for number, name in enumerate(names)}, fluency=False)
    found = labels.choose(names, 10, 3, "none")
    assert found == np.sort(np.random.default_rng(3).permutation(np.arange(1, 50, 2))[:10]).tolist()
    assert found != labels.choose(names, 10, 4, "none")
    assert labels.choose(names, 99, 3, "none") == list(range(1, 50, 2))
    with pytest.raises(UserError, match="nothing in common"):
        labels.choose(["u0", "other"], 10, 3, "nothing in common")


def test_transcripts_score_by_edits_alone_and_pseudo_labels_by_fluency_too() -> None:
    assert Labels({}, fluency=False).score(50.0, 0.2) == 0.2
    assert PSEUDO.score(50.0, 0.2) == math.log(50.0) * 0.2
    assert PSEUDO.score(math.inf, 0.0) == math.inf  # nothing was decoded


def test_the_lowest_score_is_written_with_all_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Scores ln 8 × 0.5, ln 8 × 0.25 twice, ∞: the first of the equal ones is chosen."""
    outcomes = {(10, 0.0): (8.0, 0.5), (10, 1.0): (8.0, 0.25), (20, 0.0): (8.0, 0.25), (20, 1.0): (math.inf, 1.0)}
    with caplog.at_level(logging.INFO):
        trials = tune(
            GRID.weights(), lambda weights: outcomes[weights.lm_weight, weights.insertion_penalty], PSEUDO, "nothing"
        )
        write_tuning(trials, tmp_path / "tuning.parquet", tmp_path / "weights.json")
    shown = [record.getMessage().split(":")[0] for record in caplog.records]
    assert shown[:-1] == [f"trial {number} of 4" for number in range(1, 5)]
    assert "lm_weight 10, insertion_penalty 1: chosen of 4" in caplog.records[-1].getMessage()
    table = TuningTable.read(tmp_path / "tuning.parquet")
    assert list(table) == ["lm_weight", "insertion_penalty", "perplexity", "edit_rate", "score", "chosen"]
    assert table[["lm_weight", "insertion_penalty"]].to_numpy().tolist() == [[10, 0], [10, 1], [20, 0], [20, 1]]
    assert table["score"].tolist() == [math.log(8) * 0.5, math.log(8) * 0.25, math.log(8) * 0.25, math.inf]
    assert table["chosen"].tolist() == [False, True, False, False]
    score = math.log(8) * 0.25
    assert read_json(tmp_path / "weights.json") == {"lm_weight": 10, "insertion_penalty": 1.0, "score": score}
    assert read_weights(tmp_path / "weights.json", Weights) == Weights(10, 1.0)


def test_nothing_is_chosen_if_even_the_best_hypotheses_are_empty() -> None:
    """With transcripts, too, where the score of empty hypotheses is finite."""
    for labels in (PSEUDO, Labels({}, fluency=False)):
        with pytest.raises(UserError, match="the search is too narrow"):
            tune(GRID.weights(), lambda weights: (math.inf, 1.0), labels, "the search is too narrow")


def test_weights_of_another_kind_and_damaged_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    with pytest.raises(UserError, match=r"weights\.json is missing or holds no lm_weight, insertion_penalty"):
        read_weights(path, Weights)
    write_json(path, {"ngram": 1.0, "transformer": 0.5, "word": 0.0, "score": 1.0})
    with pytest.raises(UserError, match=r"weights\.json is missing or holds no lm_weight, insertion_penalty"):
        read_weights(path, Weights)
    path.write_text('{"lm_weight": ')
    with pytest.raises(UserError, match=r"delete it and run the workflow again"):
        read_weights(path, Weights)


@pytest.mark.parametrize(
    ("scores", "tolerance", "chosen"),
    [
        ([0.25, 0.22, 0.21, 0.2, 0.3], 0.0, 3),
        ([0.25, 0.22, 0.21, 0.2, 0.3], 0.1, 2),  # the middle of the second to the fourth
        ([0.25, 0.219, 0.3, 0.2, 0.3], 0.1, 3),  # the later one of two
        ([0.1, 0.2], 0.1, 0),
        ([0.0, 0.0, 0.1], 0.1, 1),
    ],
)
def test_of_nearly_equal_trials_the_middle_one_is_chosen(scores: list[float], tolerance: float, chosen: int) -> None:
    trials = [Trial(Weights(number, 0.0), 5.0, score, score) for number, score in enumerate(scores, start=1)]
    assert best(trials, tolerance) is trials[chosen]
