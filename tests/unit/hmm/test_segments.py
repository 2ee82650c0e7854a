from pathlib import Path

import numpy as np
import pytest

from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.frontend import FrontEnd
from unscribed.hmm.gmm import Mixtures
from unscribed.hmm.model import HmmModel
from unscribed.hmm.segments import hmm_segments, log_posteriors
from unscribed.hmm.topology import Topology
from unscribed.segmentation.represent import FRAME_WEIGHT, POSTERIOR_FLOOR, POSTERIOR_WEIGHT
from unscribed.tables import BoundaryTable, PhoneTable

PHONES = ["<SIL>", "a", "b"]
LENGTHS = {"u0": 9, "u1": 4, "u2": 3}
# In another order than the store's; no path explained u1; a stands twice.
ALIGNED = {"u2": ("b", [0]), "u0": ("<SIL> a a b", [0, 3, 5, 7]), "u1": ("", [])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Frames and features of different widths; a model whose states have unit Gaussians at 0, 1, … 6."""
    rng = np.random.default_rng(0)
    with FrameWriter(tmp_path / "frames.npy") as frames, FrameWriter(tmp_path / "features.npy") as features:
        for name, length in LENGTHS.items():
            frames.append(name, rng.normal(size=(length, 4)))
            features.append(name, 3 + 3 * rng.normal(size=(length, 1)))
    means = np.arange(7, dtype=np.float32)[:, None]
    mixtures = Mixtures(np.ones(7, np.float32), means, np.ones((7, 1), np.float32), np.arange(8))
    front_end = FrontEnd(np.ones(1, np.float32), 1, 0, None)
    HmmModel(front_end, mixtures, Topology(PHONES, 2, np.ones(15))).write(tmp_path / "model.safetensors")
    columns = {"utterance": list(ALIGNED), "phones": [phones.split() for phones, _ in ALIGNED.values()]}
    columns |= {"starts_frames": [starts for _, starts in ALIGNED.values()], "frames": [LENGTHS[u] for u in ALIGNED]}
    PhoneTable(**columns).write(tmp_path / "decoded.parquet")
    hmm_segments(
        frames=tmp_path / "frames.npy",
        features=tmp_path / "features.npy",
        model=tmp_path / "model.safetensors",
        decoded=tmp_path / "decoded.parquet",
        boundaries=tmp_path / "boundaries.parquet",
        segments=tmp_path / "segments.npy",
        labels=tmp_path / "labels.npy",
    )
    return tmp_path


def test_segments_are_the_phones(folder: Path) -> None:
    """Segments are in the store's order; a repeated phone is two; an utterance without a path is one of silence."""
    boundaries, labels = BoundaryTable.read(folder / "boundaries.parquet"), FrameStore(folder / "labels.npy")
    assert boundaries["utterance"].tolist() == labels.utterances == list(LENGTHS)
    assert [edges.tolist() for edges in boundaries["boundaries_frames"]] == [[0, 3, 5, 7, 9], [0, 4], [0, 3]]
    assert [ids[:, 0].tolist() for _, ids in labels] == [[0, 1, 1, 2], [0], [2]]
    assert labels.data.dtype == np.int32 and labels.metadata == {"phones": PHONES}


def test_representations(folder: Path) -> None:
    frames, features, segments = (FrameStore(folder / f"{name}.npy") for name in ("frames", "features", "segments"))
    assert segments.data.shape == (6, 4 + 3) and segments.utterances == list(LENGTHS)
    np.testing.assert_allclose(segments.data[1, :4], FRAME_WEIGHT * frames.data[3:5].mean(axis=0), rtol=1e-5)
    # A phone's score is that of its nearest state: silence has 0, 1, 2, a has 3, 4, b has 5, 6.
    distances = -0.5 * (features.data - np.arange(7)) ** 2
    scores = np.stack([distances[:, part].max(axis=1) for part in (slice(3), slice(3, 5), slice(5, 7))], axis=1)
    expected = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    found = log_posteriors(HmmModel.read(folder / "model.safetensors"), features, 0)
    np.testing.assert_allclose(found, expected[:9], atol=1e-4)
    assert expected.min() < POSTERIOR_FLOOR
    floored = POSTERIOR_WEIGHT * np.maximum(expected, POSTERIOR_FLOOR)
    np.testing.assert_allclose(segments.data[1, 4:], floored[3:5].mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(segments.data[4, 4:], floored[9:13].mean(axis=0), atol=1e-4)
