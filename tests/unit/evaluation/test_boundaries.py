import numpy as np
import pytest

from unscribed.evaluation.boundaries import (
    BoundaryCounts,
    match_boundaries,
    to_original_seconds,
    to_speech_seconds,
)


def test_each_boundary_is_used_once() -> None:
    # 0.10 takes 0.11; 0.12 would too, but finds it taken and 0.30 too far; 0.32 hits 0.30 at exactly the tolerance
    counts = match_boundaries([0.11, 0.30, 0.90], [0.10, 0.12, 0.32, 0.70], 0.02)
    assert counts == BoundaryCounts(hits=2, references=3, hypotheses=4)
    assert counts.precision == 0.5
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(4 / 7)


def test_the_nearest_free_boundary_is_taken() -> None:
    assert match_boundaries([0.100, 0.125], [0.120, 0.121], 0.03).hits == 2
    assert match_boundaries([0.100, 0.125], [0.120, 0.150], 0.02).hits == 1
    assert match_boundaries([], [0.1], 0.02) == BoundaryCounts(0, 0, 1)
    assert match_boundaries([0.1], [], 0.02) == BoundaryCounts(0, 1, 0)


def test_counts_add_up_over_utterances() -> None:
    total = BoundaryCounts(1, 2, 3) + BoundaryCounts(4, 5, 6)
    assert total == BoundaryCounts(5, 7, 9)


def test_r_value_by_hand() -> None:
    assert BoundaryCounts(10, 10, 10).r_value == 1
    # recall 0.8, over-segmentation 0: 1 - (0.2 + 0.2 / √2) / 2
    assert BoundaryCounts(8, 10, 10).r_value == pytest.approx(1 - (0.2 + 0.2 / np.sqrt(2)) / 2)
    # recall 1 bought with twice as many boundaries: 1 - (1 + 1 / √2) / 2
    assert BoundaryCounts(10, 10, 20).r_value == pytest.approx(1 - (1 + 1 / np.sqrt(2)) / 2)
    assert np.isnan(BoundaryCounts(0, 0, 5).r_value)


STARTS, ENDS = [1600, 8000], [4800, 9600]  # 0.1-0.3 s and 0.5-0.6 s of the original: 0.2 s + 0.1 s of speech


def test_frames_are_mapped_back_through_the_vad() -> None:
    seconds = to_original_seconds([0, 10, 19, 20, 25, 30, 31], 10.0, STARTS, ENDS, 16000)
    #                 the joint (20) begins the second region; past the end (31) stays at the end
    assert seconds == pytest.approx([0.1, 0.2, 0.29, 0.5, 0.55, 0.6, 0.6])


def test_the_mapping_holds_at_a_hop_that_is_no_binary_fraction() -> None:
    # 3 frames of 12.1 ms are 36.3 ms, the whole first region, though 3 × 12.1 rounds a little low
    assert to_original_seconds([3], 12.1, [0, 10000], [363, 11000], 10000) == pytest.approx([1.0])


def test_original_times_are_mapped_to_the_speech_only_audio() -> None:
    seconds = to_speech_seconds([0.0, 0.1, 0.25, 0.4, 0.5, 0.55, 0.9], STARTS, ENDS, 16000)
    #                          in removed silence: 0.0 -> 0, 0.4 -> the joint, 0.9 -> the end
    assert seconds == pytest.approx([0, 0, 0.15, 0.2, 0.2, 0.25, 0.3])
    frames = np.arange(30)
    back = to_speech_seconds(to_original_seconds(frames, 10.0, STARTS, ENDS, 16000), STARTS, ENDS, 16000)
    assert back == pytest.approx(frames * 0.01)


def test_no_region_is_refused() -> None:
    with pytest.raises(ValueError, match="no speech regions"):
        to_original_seconds([1], 10.0, [], [], 16000)
