import numpy as np
import pytest

from unscribed.hmm.confidence import calibrated, goodness


def test_goodness_is_what_is_lost_to_the_best_phones() -> None:
    """Silence, the first column, is no rival; a phone that is the best itself loses nothing."""
    scores = np.array([[9.0, 1.0, 0.0], [9.0, 1.0, 3.0], [9.0, 0.0, 2.0], [9.0, 5.0, 1.0]])
    phones = np.array([1, 1, 1, 2])
    assert goodness(scores, phones, [(0, 2), (2, 4), (1, 1)]) == pytest.approx([-2.0, -6.0, 0.0])
    assert goodness(np.zeros((3, 1)), np.zeros(3, int), [(0, 3)]) == pytest.approx([0.0])  # nothing but silence


def test_all_three_lower_the_confidence() -> None:
    good = np.zeros(1)
    sure = calibrated([1.0], good, 0.01)[0]
    assert 0.5 < sure < 1
    assert calibrated([0.4], good, 0.01)[0] < sure
    assert calibrated([1.0], good - 20, 0.01)[0] < sure
    assert calibrated([1.0], good, 0.2)[0] < sure
    assert all(0 < value < 1 for value in calibrated([0.0, 1.0], np.array([-50.0, 0.0]), 0.0))
