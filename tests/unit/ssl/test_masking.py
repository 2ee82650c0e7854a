import numpy as np
import pytest

from unscribed.ssl.masking import distractors, span_masks


def test_published_masks_cover_half_of_fifteen_seconds_in_spans_of_three_hundred_ms():
    frames = (15 * 16000 - 400) // 320 + 1
    masks = span_masks(frames, 400, 0.65, 10, np.random.default_rng(0))
    assert masks.mean() == pytest.approx(0.49, abs=0.01)
    edges = np.diff(np.pad(masks, ((0, 0), (1, 1))).astype(int), axis=1)
    spans_ms = 20 * (np.argwhere(edges == -1)[:, 1] - np.argwhere(edges == 1)[:, 1])
    assert spans_ms.mean() == pytest.approx(300, abs=10) and spans_ms.min() == 200


def test_starts_are_drawn_without_replacement_and_short_utterances_are_masked_too():
    full = span_masks(12, 50, 1.0, 1, np.random.default_rng(0))  # as many spans of one frame as there are frames
    assert full.all()
    short = span_masks(10, 50, 0.01, 10, np.random.default_rng(0))
    assert short.all()
    with pytest.raises(ValueError, match="9 frames"):
        span_masks(9, 1, 0.65, 10, np.random.default_rng(0))


def test_the_mean_share_of_masks_does_not_depend_on_the_length():
    generator = np.random.default_rng(0)
    counts = [span_masks(frames, 3000, 0.5, 1, generator).mean() for frames in (3, 5, 99)]
    assert counts == pytest.approx([0.5, 0.5, 0.5], abs=0.02)


def test_distractors_are_the_other_masked_frames_of_the_utterance_alike_often():
    masks = np.zeros((2, 9), dtype=bool)
    masks[0, [1, 3, 4, 8]] = masks[1, [0, 5]] = True
    found = distractors(masks, 6000, np.random.default_rng(0))
    assert found.shape == (2, 4, 6000)
    for frame in range(4):
        counts = np.bincount(found[0, frame], minlength=4)
        assert counts[frame] == 0 and counts[np.arange(4) != frame].min() > 1900
    assert set(found[1, 0]) == {1} and set(found[1, 1]) == {0} and not found[1, 2:].any()
    with pytest.raises(ValueError, match="at least two"):
        distractors(np.eye(3, dtype=bool), 5, np.random.default_rng(0))


def test_the_same_generator_gives_the_same_masks():
    first, second = (span_masks(100, 3, 0.65, 10, np.random.default_rng([7, 3])) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (span_masks(100, 3, 0.65, 10, np.random.default_rng([7, 4])) != first).any()
