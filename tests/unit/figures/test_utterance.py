from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.drawn import assert_drawn

from unscribed.errors import UserError
from unscribed.figures.utterance import Box, ReportSettings, recognised_boxes, reference_boxes, utterance_figure
from unscribed.tables import PhoneTable


def draw_utterance(run: Any, index: str, references: list[str]) -> Path:
    path = run.root / "figures" / f"utterance{index}.png"
    utterance_figure(
        manifest=run.path("manifest/test.parquet"),
        vad=run.path("vad/test.parquet"),
        boundaries=run.path("segment/test.boundaries.parquet"),
        decoded=run.path("decode/test.parquet"),
        index=index,
        settings=ReportSettings(utterances=2),
        sample_rate_hz=16000,
        hop_ms=10.0,
        figure=path,
        references=references,
    )
    return path


def test_utterances_with_and_without_transcript(finished: Any) -> None:
    assert_drawn(draw_utterance(finished, "0", finished.paths("references/test.parquet")), 0.2)
    assert_drawn(draw_utterance(finished, "1", []), 0.2)


def test_nothing_decoded_is_refused(finished: Any) -> None:
    finished.table("decode/test.parquet", [], PhoneTable)
    with pytest.raises(UserError, match=r"decode/test\.parquet has no utterances"):
        draw_utterance(finished, "0", [])


def test_boxes_by_hand() -> None:
    recognised = recognised_boxes(["<SIL>", "<SIL>", "a", "a", "b"], np.array([0.0, 0.1, 0.2, 0.3, 0.5]), 0.9)
    assert recognised == [Box("<SIL>", 0.0, 0.2), Box("a", 0.2, 0.5), Box("b", 0.5, 0.9)]
    # speech: 0.1-0.3 s and 0.5-0.6 s of the original; the silence between is removed
    region = pd.Series({"starts_samples": [1600, 8000], "ends_samples": [4800, 9600], "total_seconds": 1.0})
    reference = pd.Series(
        {"phones": ["a", "<SIL>", "b"], "starts_seconds": np.array([0.1, 0.3, 0.5]), "end_seconds": np.nan}
    )
    boxes = reference_boxes(reference, region, 0.3, 16000)
    assert [box.phone for box in boxes] == ["a", "b"]
    assert [(box.start, box.end) for box in boxes] == [pytest.approx((0, 0.2)), pytest.approx((0.2, 0.3))]
    reference["starts_seconds"] = np.zeros(0)
    boxes = reference_boxes(reference, region, 0.3, 16000)
    assert [(box.start, box.end) for box in boxes] == [pytest.approx((0, 0.15)), pytest.approx((0.15, 0.3))]
