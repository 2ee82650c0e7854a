import tracemalloc

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from unscribed.hmm import gmm
from unscribed.hmm.gmm import MIN_VARIANCE, Mixtures, reestimate, single_gaussians, split


def _mixtures(rng: np.random.Generator, sizes: list[int], dims: int) -> Mixtures:
    weights = np.concatenate([rng.dirichlet(np.ones(size)) for size in sizes]).astype(np.float32)
    total = sum(sizes)
    means, variances = rng.normal(size=(total, dims)), rng.uniform(0.3, 2, size=(total, dims))
    return Mixtures(weights, means.astype(np.float32), variances.astype(np.float32), np.cumsum([0, *sizes]))


def _expected(mixtures: Mixtures, frames: np.ndarray) -> np.ndarray:
    """Straight from the definition, (T, P)."""
    densities = norm.logpdf(frames[:, None], mixtures.means, np.sqrt(mixtures.variances)).sum(axis=2)
    densities += np.log(mixtures.weights)
    edges = zip(mixtures.offsets[:-1], mixtures.offsets[1:], strict=True)
    return np.stack([logsumexp(densities[:, first:last], axis=1) for first, last in edges], axis=1)


def test_log_likelihoods() -> None:
    """Two densities, each below exp(-6) of the largest, are left out: an error of at most 2 × 0.0025."""
    rng = np.random.default_rng(0)
    mixtures = _mixtures(rng, [3, 1, 2], 4)
    frames = rng.normal(scale=1.5, size=(200, 4)).astype(np.float32)
    found, expected = mixtures.log_likelihoods(frames), _expected(mixtures, frames)
    assert found.shape == (200, 3) and found.dtype == np.float32
    assert (found <= expected + 1e-3).all()
    np.testing.assert_allclose(found, expected, atol=0.006)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], atol=1e-3)  # a single Gaussian: nothing left out
    part = mixtures.log_densities(frames, slice(4, 6))
    np.testing.assert_allclose(part, mixtures.log_densities(frames, slice(None))[:, 4:6], rtol=1e-5, atol=1e-5)


def test_far_frames_stay_finite() -> None:
    mixtures = _mixtures(np.random.default_rng(0), [3, 2], 4)
    assert np.isfinite(mixtures.log_likelihoods(np.full((1, 4), 1e3, dtype=np.float32))).all()


def test_single_gaussians() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(130, 2)).astype(np.float32)
    frames[60:110] += 5
    states = np.repeat([2, 0, 1, -1], [60, 50, 10, 10])
    frames[:60, 1] = 3
    found = single_gaussians(frames, states, 4)
    np.testing.assert_allclose(found.means[0], frames[60:110].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.variances[2], [frames[:60, 0].var(), MIN_VARIANCE], rtol=1e-4)
    for rare in (1, 3):  # ten frames, none
        np.testing.assert_allclose(found.means[rare], frames.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.variances[rare], frames.var(axis=0), rtol=1e-5)


def _two_clusters(rng: np.random.Generator) -> np.ndarray:
    frames = rng.normal(size=(4000, 2))
    frames[:3000] = frames[:3000] * [0.5, 1.0] - 4
    frames[3000:] = frames[3000:] * [1.0, 0.5] + 4
    return frames.astype(np.float32)


def test_two_clusters_are_recovered() -> None:
    """State 1 has two clusters, state 0 nineteen frames: too few, it stays as it is."""
    rng = np.random.default_rng(0)
    frames = np.concatenate([rng.normal(size=(19, 2)), _two_clusters(rng)]).astype(np.float32)
    states = np.repeat([0, 1], [19, 4000])
    mixtures = split(single_gaussians(frames, states, 2), np.array([19.0, 4000.0]), 3)
    assert mixtures.offsets.tolist() == [0, 1, 3]
    before, scores = mixtures, []
    for _ in range(12):
        mixtures, counts, score = reestimate(mixtures, frames, states)
        scores.append(score)
    assert counts.tolist() == [19, 4000]
    assert (np.diff(scores) > -1e-4).all() and scores[-1] > scores[0] + 1  # EM never gets worse
    for name in ("weights", "means", "variances"):
        np.testing.assert_array_equal(getattr(mixtures, name)[0], getattr(before, name)[0])
    order = 1 + np.argsort(mixtures.means[1:, 0])
    np.testing.assert_allclose(mixtures.weights[order], [0.75, 0.25], atol=0.001)
    np.testing.assert_allclose(mixtures.means[order], [[-4, -4], [4, 4]], atol=0.08)
    np.testing.assert_allclose(mixtures.variances[order], [[0.25, 1], [1, 0.25]], rtol=0.12)


def test_score_is_the_mean_log_likelihood() -> None:
    rng = np.random.default_rng(1)
    frames, mixtures = rng.normal(size=(300, 3)).astype(np.float32), _mixtures(rng, [2, 2], 3)
    states = rng.integers(2, size=300)
    _, _, score = reestimate(mixtures, frames, states)
    assert score == pytest.approx(_expected(mixtures, frames)[np.arange(300), states].mean(), rel=1e-4)


def test_frames_without_a_state_count_nothing() -> None:
    rng = np.random.default_rng(2)
    frames, mixtures = rng.normal(size=(200, 3)).astype(np.float32), _mixtures(rng, [2, 1], 3)
    states = np.repeat([0, 1, -1], [100, 60, 40])
    whole, _, score = reestimate(mixtures, frames, states)
    part, counts, same = reestimate(mixtures, frames[:160], states[:160])
    np.testing.assert_allclose(whole.means, part.means)
    assert counts.tolist() == [100, 60] and score == pytest.approx(same)


@pytest.mark.parametrize("target", [7, 20])
def test_split_reaches_the_target(target: int) -> None:
    """States get Gaussians by their counts to the power of 0.25; the densities hardly change."""
    rng = np.random.default_rng(3)
    mixtures = _mixtures(rng, [1, 1, 1], 3)
    grown = split(mixtures, np.array([10000.0, 1000.0, 10.0]), target)
    sizes = np.diff(grown.offsets)
    assert len(grown.weights) == sizes.sum() == target and sizes[0] > sizes[1] > sizes[2] == 1
    for first, last in zip(grown.offsets[:-1], grown.offsets[1:], strict=True):
        assert grown.weights[first:last].sum() == pytest.approx(1, abs=1e-5)
    frames = rng.normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_allclose(grown.log_likelihoods(frames), mixtures.log_likelihoods(frames), atol=0.1)


def test_split_is_the_same_every_time() -> None:
    """Halves move apart, since equal ones would stay equal in EM; states that do not grow stay as they are."""
    mixtures = _mixtures(np.random.default_rng(5), [2, 2], 3)
    one, two = (split(mixtures, np.array([1000.0, 5.0]), 6) for _ in range(2))
    np.testing.assert_array_equal(one.means, two.means)
    assert one.means.dtype == np.float32 and len(np.unique(one.means, axis=0)) == len(one.weights) > 4
    np.testing.assert_allclose(one.means[-2:], mixtures.means[-2:], rtol=1e-4)


def test_gaussians_without_frames_are_dropped() -> None:
    rng = np.random.default_rng(4)
    frames = rng.normal(size=(200, 2)).astype(np.float32)
    far = Mixtures(
        np.full(2, 0.5, np.float32),
        np.array([[0, 0], [50, 50]], np.float32),
        np.ones((2, 2), np.float32),
        np.array([0, 2]),
    )
    found, _, _ = reestimate(far, frames, np.zeros(200, dtype=int))
    assert found.offsets.tolist() == [0, 1] and found.weights.tolist() == [1]
    np.testing.assert_allclose(found.means[0], frames.mean(axis=0), atol=1e-4)


def test_memory_of_the_estimation_does_not_grow_with_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """40,000 frames of 64 features, 10 MB, most of one state: in blocks of 0.5 MB, the same result as at once."""
    rng = np.random.default_rng(6)
    frames = rng.normal(size=(40_000, 64)).astype(np.float32)
    states = rng.choice(3, p=[0.9, 0.05, 0.05], size=len(frames))

    def estimated() -> Mixtures:
        mixtures, counts = single_gaussians(frames, states, 3), np.bincount(states)
        for target in (6, 12):
            mixtures, _, _ = reestimate(split(mixtures, counts, target), frames, states)
        return mixtures

    at_once = estimated()
    monkeypatch.setattr(gmm, "BLOCK_BYTES", 500_000)
    tracemalloc.start()
    in_blocks = estimated()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6
    for name in ("weights", "means", "variances"):
        np.testing.assert_allclose(getattr(in_blocks, name), getattr(at_once, name), atol=1e-4)
