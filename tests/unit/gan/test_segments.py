from pathlib import Path

import numpy as np
import pytest

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.gan.segments import gan_segments
from unscribed.tables import BoundaryTable, PhoneTable


def _run(folder: Path, frames: int) -> None:
    with FrameWriter(folder / "frames.npy", {"hop_ms": 10.0}) as writer:
        writer.append("u", np.array([[0.0, 1.0], [2.0, 3.0], [10.0, 20.0], [4.0, 5.0]]))
    columns = {"utterance": ["u"], "phones": [["a", "b", "a"]], "starts_frames": [[0, 2, 3]], "frames": [frames]}
    PhoneTable(**columns).write(folder / "decoded.parquet")
    gan_segments(
        frames=folder / "frames.npy",
        decoded=folder / "decoded.parquet",
        segments=folder / "segments.npy",
        boundaries=folder / "boundaries.parquet",
    )


def test_a_segment_is_the_mean_of_a_decoded_phone(tmp_path: Path) -> None:
    _run(tmp_path, frames=4)
    store = FrameStore(tmp_path / "segments.npy")
    assert store.data.tolist() == [[1.0, 2.0], [10.0, 20.0], [4.0, 5.0]]
    assert store.metadata == {"hop_ms": 10.0}
    assert BoundaryTable.read(tmp_path / "boundaries.parquet")["boundaries_frames"][0].tolist() == [0, 2, 3, 4]


def test_phones_of_other_audio(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"decoded.parquet does not have the 4 frames of utterance u"):
        _run(tmp_path, frames=5)
