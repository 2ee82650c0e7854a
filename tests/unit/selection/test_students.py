"""The students that tell how well each candidate's phones explain the audio."""

from pathlib import Path

import numpy as np
import pytest
from helpers.candidates import GOOD, LENGTH, PHONES, write_audio, write_phones

from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.selection.students import Student, add_up, frame_phones, heard
from unscribed.tables import PhoneTable


def _labels(said: list[list[str]]) -> np.ndarray:
    """Phone ids of the frames of `write_audio`, if these phones were said."""
    return np.concatenate([np.repeat([PHONES.index(phone) for phone in row], LENGTH) for row in said])


def test_students_decode_alike_what_candidates_decoded_differently(folder: Path) -> None:
    """Plain output that flickers at the start of every second phone has the same student as output without a flaw."""
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    flickers = labels.copy()
    flickers[:: 2 * LENGTH] = (labels[:: 2 * LENGTH] + 1) % len(PHONES)
    for given in (labels, flickers):
        assert heard(store, given, folder / "lm.arpa", PHONES, threads=1).phones == GOOD


def test_a_student_is_a_gaussian_of_each_phone_and_a_little_of_the_whole(folder: Path) -> None:
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    student = Student.of(add_up(store, labels, np.arange(len(GOOD)), 3), PHONES, 10.0)
    a, count, every = store.data[labels == 1], (labels == 1).sum(), store.data.mean(axis=0)
    np.testing.assert_allclose(student.means[1], (a.sum(axis=0) + 10 * every) / (count + 10), rtol=1e-5)
    np.testing.assert_allclose(student.means[0], every, rtol=1e-5)  # nobody says <SIL>
    found = student.log_posteriors(store, 0, 2)
    mean, variance = student.means[1], student.variances[1]
    wanted = -0.5 * ((store.data[3] - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum()
    assert found.shape == (25, 3) and found[3, 1] == pytest.approx(wanted)
    assert student.scale == pytest.approx(0.2 * 39 / 3)  # three features tell as much as 39 do


def test_no_student_decodes_what_it_learned_from(folder: Path) -> None:
    """An utterance alone says another phone of its frames than all others: its student has never heard of it."""
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    labels[: 3 * LENGTH] = 0
    assert heard(store, labels, folder / "lm.arpa", PHONES, threads=1).phones[0] == GOOD[0]


def test_frames_bear_the_phone_that_lasts_over_them(folder: Path) -> None:
    store = FrameStore(write_audio(folder))
    table = PhoneTable.by_utterance(write_phones(folder / "0.parquet", [["a", "b", "a"], [], *GOOD[2:]]))
    table.at["u0", "starts_frames"] = np.array([2, 5, 10])  # the first phone begins late
    found = frame_phones(table, "0.parquet", store, PHONES)
    assert found[: 5 * LENGTH].tolist() == [1] * 5 + [2] * 5 + [1] * 5 + [0] * 10


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("phones", ["x"], "has the phones x, which are not in the inventory"),
        ("frames", 2, "they come from different audio"),
    ],
)
def test_phones_that_do_not_fit_the_frames(folder: Path, column: str, value: object, message: str) -> None:
    store = FrameStore(write_audio(folder))
    table = PhoneTable.by_utterance(write_phones(folder / "0.parquet", GOOD))
    table.at["u0", column] = value
    with pytest.raises(UserError, match=f"0.parquet .*{message}"):
        frame_phones(table, "0.parquet", store, PHONES)
