import numpy as np
import pytest
from helpers.settings import match_settings

from unscribed.evaluation.identifiability import Cut, answers, verdict
from unscribed.evaluation.tables import DRAWN, FOUND, FROM_ORACLE, ORACLE
from unscribed.matching.statistics import count, flatten

PHONES = ["<SIL>", "a", "b"]
SETTINGS = match_settings(clusters=[2], skips=1, positions=1, steps=50, warm_steps=50)
TEXT = count(*flatten([np.array([1, 2] * 20)] * 10), 3, 1, 1)  # a b a b …
SAID = {f"u{number}": ["a", "b"] * 20 for number in range(10)}
EDGES = [np.arange(41)] * 10  # one frame each


def _answers(spoken: list[np.ndarray], **found) -> tuple[dict[str, list[dict]], dict]:
    units = [np.array([0, 1] * 20)] * 10
    rows = answers(Cut("segments", TEXT, PHONES, SAID, EDGES, units), spoken, SETTINGS, 0, **found)
    return {name: [row for row in rows if row["answer"] == name] for name in {row["answer"] for row in rows}}, verdict(
        rows
    )


def test_where_units_are_phones_the_oracle_map_is_nearest() -> None:
    by_answer, values = _answers([np.array([1, 2] * 20)] * 10)
    (oracle,) = by_answer[ORACLE]
    assert oracle == {"segmentation": "segments", "answer": ORACLE, "draw": 0, "loss": 0, "objective": None, "per": 0}
    drawn = by_answer[DRAWN]
    assert [row["draw"] for row in drawn] == [0, 1, 2, 3, 4] and FOUND not in by_answer
    # skips: ¼ of each pair instead of 20/39 and 19/39 of two; positions: half of the first and last are wrong
    assert np.mean([row["loss"] for row in drawn]) == pytest.approx(1 + 1, abs=0.4)
    assert values["identifiable"] and values["oracle_loss"] == 0 and values["oracle_per"] == 0
    assert values["drawn_loss_lowest"] <= values["drawn_loss"] <= values["drawn_loss_highest"]
    assert values["from_oracle_per"] == 0 and "found_loss" not in values
    assert by_answer[FROM_ORACLE][0]["objective"] == pytest.approx(values["from_oracle_objective"])


def test_where_every_unit_is_mostly_one_phone_the_lot_is_nearer() -> None:
    """Both units are `a` in two of three frames, so all of the oracle map is: pairs 2 off, the lot's 1."""
    by_answer, values = _answers([np.resize([1, 1, 1, 1, 2, 2], 40)] * 10)
    assert by_answer[ORACLE][0]["loss"] == pytest.approx(2 + 1)  # all pairs, and the last phone of each
    assert by_answer[ORACLE][0]["per"] == pytest.approx(39 / 40)
    assert not values["identifiable"] and values["drawn_loss_highest"] < 3


def test_what_the_matching_found_is_measured_alike() -> None:
    spoken = [np.array([1, 2] * 20)] * 10
    by_answer, values = _answers(spoken, found=([np.array([2, 1] * 20)] * 10, 0.5))
    assert by_answer[FOUND][0]["loss"] == pytest.approx(2 / 39 + 2)  # b a b a …: 19 and 20 of 39 pairs, all ends
    assert values["found_objective"] == 0.5 and values["found_per"] == pytest.approx(2 / 40)


def test_phones_that_the_text_never_uses_are_unknown() -> None:
    cut = Cut("segments", TEXT, PHONES, {"u": ["a", "x", "<SIL>", "b"]}, [np.array([0, 1])], [np.array([0])])
    assert [row.tolist() for row in cut.numbers] == [[0, 1, -1, 0, 2, 0]]
