import logging
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm import gmm
from unscribed.hmm.frontend import SHRINKAGE, FrontEnd, lda_context, scaling, splice, with_lda


def _store(path: Path, parts: list[np.ndarray], **metadata: float) -> FrameStore:
    with FrameWriter(path, {"hop_ms": 20.0} | metadata) as writer:
        for number, part in enumerate(parts):
            writer.append(f"u{number}", part)
    return FrameStore(path)


def test_splice_at_the_edges(tmp_path: Path) -> None:
    """Frames 10, 11, 12 | 20: the first and last frame of an utterance are repeated, not those of the next one used."""
    store = _store(tmp_path / "f.npy", [np.array([[10.0, 1], [11, 2], [12, 3]]), np.array([[20.0, 4]])])
    found = splice(store, np.arange(4), 1, 2)
    assert found.tolist() == [[10, 10, 10, 11, 12], [10, 10, 11, 12, 12], [10, 11, 12, 12, 12], [20, 20, 20, 20, 20]]
    both = splice(store, np.array([1, 3]), 2, 1)
    assert both.tolist() == [[10, 1, 11, 2, 12, 3], [20, 4, 20, 4, 20, 4]]


def test_scaling(tmp_path: Path) -> None:
    """Features get unit variance over the given frames; a constant feature is left as it is."""
    frames = np.random.default_rng(0).normal(size=(500, 3)) * [2, 0, 9] + [5, 7, -4]
    store = _store(tmp_path / "f.npy", [frames[:300], frames[300:]])
    front_end = scaling(store, np.arange(300))
    found = front_end(store, 0, 1)
    assert found.dtype == np.float32 and found.shape == (300, 3)
    np.testing.assert_allclose(found.std(axis=0), [1, 0, 1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[:, 1], 7)
    np.testing.assert_allclose(front_end(store, 0, 2)[300:], front_end(store, 1, 2))


def _classes(rng: np.random.Generator, lengths: list[int], dims: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames of three states, which differ in the features 0 and 1 alone, in runs of ten; the others are loud noise."""
    states = np.repeat(rng.integers(3, size=sum(lengths) // 10 + 1), 10)[: sum(lengths)]
    frames = 5 * rng.normal(size=(len(states), dims))
    frames[:, :2] = 0.5 * rng.normal(size=(len(states), 2)) + np.array([[0, 0], [3, 0], [0, 3]])[states]
    return np.split(frames, np.cumsum(lengths)[:-1]), states


@pytest.fixture(params=["cepstra", "learned"])
def fitted(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FrontEnd, FrameStore, np.ndarray]:
    """Fit on 13 cepstra with deltas, or on 32 learned features whose store has no `static_dims`."""
    rng = np.random.default_rng(0)
    parts, states = _classes(rng, [400, 1, 299, 500, 3, 800], 39 if request.param == "cepstra" else 32)
    metadata = {"static_dims": 13} if request.param == "cepstra" else {}
    store = _store(tmp_path / "f.npy", parts, **metadata)
    positions = np.arange(len(states))
    return with_lda(scaling(store, positions), store, positions, states, 40, 2, 0), store, states


def test_lda_separates(fitted: tuple[FrontEnd, FrameStore, np.ndarray]) -> None:
    """One dimension fewer than states, unit covariance within a state; nearest means classify the frames."""
    front_end, store, states = fitted
    static = 13 if store.data.shape[1] == 39 else 32
    assert front_end.dims == static and front_end.lda.shape == (static * 5, 2)
    found = front_end(store, 0, len(store))
    assert found.shape == (len(states), 2) and found.dtype == np.float32
    means = np.stack([found[states == state].mean(axis=0) for state in range(3)])
    within = found - means[states]
    np.testing.assert_allclose(np.cov(within.T), np.eye(2), atol=0.05)
    nearest = ((found[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == states).mean() > 0.95


def test_lda_is_that_of_scikit_learn(
    fitted: tuple[FrontEnd, FrameStore, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all spliced frames at once, up to the sign of a direction; the sizes of blocks change nothing."""
    front_end, store, states = fitted
    positions = np.arange(len(states))
    spliced = FrontEnd(front_end.scale, front_end.dims, 2, None).rows(store, positions)
    expected = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE).fit(spliced, states).scalings_[:, :2]
    monkeypatch.setattr(gmm, "BLOCK_BYTES", 100_000)
    in_blocks = with_lda(scaling(store, positions), store, positions, states, 40, 2, 0)
    for found in (front_end.lda, in_blocks.lda):
        signs = np.sign((found * expected).sum(axis=0))
        np.testing.assert_allclose(found * signs, expected, atol=1e-3 * np.abs(expected).max())


def test_lda_is_fitted_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 frames of 5 x 64 features are 26 MB; held are blocks of 1 MB and two covariances of 0.8 MB."""
    rng = np.random.default_rng(0)
    store = _store(tmp_path / "f.npy", [rng.normal(size=(20_000, 64))])
    monkeypatch.setattr(gmm, "BLOCK_BYTES", 1_000_000)
    positions, states = np.arange(20_000), rng.integers(5, size=20_000)
    tracemalloc.start()
    with_lda(scaling(store, positions), store, positions, states, 40, 2, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


def test_the_context_is_the_same_time_at_every_hop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Two frames of 20 ms on each side are 40 ms, four of 10 ms.

    With 8 MB, covariances may have (8e6 / 32) ** 0.5 = 500 features: 9 frames of 50 fit, of 56 only 7.
    """

    def context(dims: int, hop_ms: float) -> int:
        store = _store(tmp_path / f"{dims}.npy", [np.zeros((3, dims))], hop_ms=hop_ms)
        return lda_context(40.0, store, 8)

    caplog.set_level(logging.WARNING)
    assert [context(50, 20.0), context(50, 10.0), context(50, 100.0)] == [2, 4, 0] and not caplog.text
    assert context(56, 10.0) == 3 and context(600, 20.0) == 0
    assert "splices 3 frames on each side instead of 4" in caplog.text and "hmm.max_memory_mb (8)" in caplog.text


def test_utterances_do_not_depend_on_each_other(
    fitted: tuple[FrontEnd, FrameStore, np.ndarray], tmp_path: Path
) -> None:
    front_end, store, _ = fitted
    together = np.split(front_end(store, 0, len(store)), store.offsets[1:-1])
    for number in range(len(store)):
        alone = _store(tmp_path / f"{number}.npy", [store[number]])
        np.testing.assert_allclose(front_end(alone, 0, 1), together[number], atol=1e-4)
        np.testing.assert_allclose(front_end(store, number, number + 1), together[number], atol=1e-4)


def test_dims_and_rare_states(tmp_path: Path) -> None:
    """LDA has at most `dims` dimensions; a state with a single frame is no class."""
    parts, states = _classes(np.random.default_rng(1), [600], 4)
    store = _store(tmp_path / "f.npy", parts)
    states[7] = 3
    base, positions = scaling(store, np.arange(600)), np.arange(600)
    assert with_lda(base, store, positions, states, 40, 1, 0).lda.shape == (12, 2)
    assert with_lda(base, store, positions, states, 1, 1, 0).lda.shape == (12, 1)
