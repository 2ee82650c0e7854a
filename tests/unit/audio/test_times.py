import numpy as np
import pandas as pd
import pytest

from unscribed.audio.times import TimeBase, to_original_seconds, to_speech_seconds

STARTS, ENDS = [1600, 8000], [4800, 9600]  # 0.1-0.3 s and 0.5-0.6 s of the original: 0.2 s + 0.1 s of speech


def test_frames_are_mapped_back_through_the_vad() -> None:
    seconds = to_original_seconds([0, 10, 19, 20, 25, 30, 31], 10.0, STARTS, ENDS, 16000)
    #                 the joint (20) begins the second region; past the end (31) stays at the end
    assert seconds == pytest.approx([0.1, 0.2, 0.29, 0.5, 0.55, 0.6, 0.6])


def test_ends_of_segments_stay_before_removed_silence() -> None:
    ends = to_original_seconds([0, 10, 20, 21, 31], 10.0, STARTS, ENDS, 16000, ends=True)
    #          the joint (20) now ends the first region
    assert ends == pytest.approx([0.1, 0.2, 0.3, 0.51, 0.6])
    times = TimeBase(pd.DataFrame({"starts_samples": [STARTS], "ends_samples": [ENDS]}, index=["u"]), 10.0, 16000)
    assert times.seconds("u", [20], ends=True) == pytest.approx([0.3])
    assert times.seconds("u", [20]) == pytest.approx([0.5])
    assert not len(times.seconds("without speech", []))


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
