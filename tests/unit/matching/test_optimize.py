import numpy as np
import pytest

from unscribed.matching.optimize import Mapping, match, random_start, warm_start
from unscribed.matching.statistics import Statistics, count, discrepancy, flatten, oversegment

PHONES, SKIPS, POSITIONS = 7, 3, 4


def _sentences(number: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Sentences of one toy language: a sparse Markov chain over PHONES without repeats."""
    chances = np.random.default_rng(5).dirichlet(np.full(PHONES, 0.3), PHONES)
    np.fill_diagonal(chances, 0)
    limits = (chances / chances.sum(axis=1, keepdims=True)).cumsum(axis=1)
    found = np.zeros((number, 20), dtype=np.int64)
    found[:, 0] = rng.integers(0, PHONES // 2, number)
    for place in range(1, found.shape[1]):
        draws = rng.random((number, 1)) > limits[found[:, place - 1]]
        found[:, place] = draws.sum(axis=1).clip(max=PHONES - 1)
    return list(found)


def _statistics(sentences: list[np.ndarray]) -> Statistics:
    return count(*flatten(sentences), PHONES, SKIPS, POSITIONS)


@pytest.fixture(scope="module")
def text() -> Statistics:
    return _statistics(_sentences(400, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def spoken() -> list[np.ndarray]:
    """Other sentences of the language than those of the text."""
    return _sentences(400, np.random.default_rng(1))


PERMUTATION = np.random.default_rng(2).permutation(PHONES)  # unit of each phone


def _recovered(mapping: Mapping) -> list[int]:
    """The phone found for the unit of each phone: 0, 1, 2 … if all are right."""
    return mapping.probabilities[mapping.best].argmax(axis=1)[PERMUTATION].tolist()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_permutation_is_recovered(text: Statistics, spoken: list[np.ndarray], seed: int) -> None:
    audio = _statistics([PERMUTATION[symbols] for symbols in spoken])
    start = random_start(8, PHONES, PHONES, np.random.default_rng(seed))
    mapping = match(audio, text, start, 200, 0.1)
    assert _recovered(mapping) == list(range(PHONES))
    assert mapping.objectives.shape == (8,) and mapping.objectives[mapping.best] == mapping.objectives.min()
    np.testing.assert_allclose(mapping.probabilities.sum(axis=-1), 1, rtol=1e-5)


def test_an_oversegmented_permutation_is_recovered(text: Statistics, spoken: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    audio = _statistics([np.repeat(PERMUTATION[symbols], rng.geometric(0.7, len(symbols))) for symbols in spoken])
    start = random_start(8, PHONES, PHONES, np.random.default_rng(0))
    mapping = match(audio, oversegment(text, 0.3), start, 200, 0.1)
    assert _recovered(mapping) == list(range(PHONES))
    without_channel = match(audio, text, start, 200, 0.1)
    assert mapping.objectives.min() < 0.8 * without_channel.objectives.min()


def test_the_objective_is_the_discrepancy_of_the_mapped_audio(text: Statistics, spoken: list[np.ndarray]) -> None:
    """Two units per phone and hard mappings, right and wrong: the objective is that of the relabelled audio."""
    rng = np.random.default_rng(4)
    units = [symbols + PHONES * rng.integers(0, 2, len(symbols)) for symbols in spoken]
    audio = count(*flatten(units), 2 * PHONES, SKIPS, POSITIONS)
    to_phone = np.stack([np.arange(2 * PHONES) % PHONES, rng.integers(0, PHONES, 2 * PHONES)])
    mapping = match(audio, text, 60 * np.eye(PHONES)[to_phone], 1, 0.0)
    for labels, objective in zip(to_phone, mapping.objectives, strict=True):
        assert objective == pytest.approx(
            discrepancy(_statistics([labels[symbols] for symbols in units]), text), abs=1e-4
        )
    assert mapping.best == 0


def test_more_steps_lower_the_objective(text: Statistics, spoken: list[np.ndarray]) -> None:
    audio = _statistics([PERMUTATION[symbols] for symbols in spoken])
    start = random_start(3, PHONES, PHONES, np.random.default_rng(0))
    objectives = [match(audio, text, start, steps, 0.1).objectives for steps in (1, 30, 150)]
    assert (objectives[0] > objectives[1]).all() and (objectives[1] > objectives[2]).all()


def test_restarts_do_not_influence_each_other(text: Statistics, spoken: list[np.ndarray]) -> None:
    audio = _statistics([PERMUTATION[symbols] for symbols in spoken])
    start = random_start(3, PHONES, PHONES, np.random.default_rng(0))
    together = match(audio, text, start, 60, 0.1)
    for number in range(len(start)):
        alone = match(audio, text, start[number : number + 1], 60, 0.1)
        np.testing.assert_allclose(alone.objectives[0], together.objectives[number], atol=2e-3)
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[number], atol=0.03)


def test_same_seed_same_result(text: Statistics, spoken: list[np.ndarray]) -> None:
    audio = _statistics(spoken)
    one, again, other = (
        match(audio, text, random_start(2, PHONES, PHONES, np.random.default_rng(seed)), 20, 0.1) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.probabilities, again.probabilities)
    np.testing.assert_array_equal(one.objectives, again.objectives)
    assert not np.allclose(one.probabilities, other.probabilities)


def test_warm_start_keeps_the_labels(text: Statistics, spoken: list[np.ndarray]) -> None:
    """Every start favours the majority phone of each unit; the right labels stay right through the optimisation."""
    phones, _ = flatten(spoken)
    units, rng = PERMUTATION[phones], np.random.default_rng(5)
    noisy = np.where(rng.random(len(phones)) < 0.2, rng.integers(0, PHONES, len(phones)), phones)
    start = warm_start(units, noisy, (3, PHONES, PHONES), rng)
    assert start.shape == (3, PHONES, PHONES) and start.dtype == np.float32
    assert (start.argmax(axis=2)[:, PERMUTATION] == np.arange(PHONES)).all()
    assert np.abs(start[0] - start[1]).max() > 0.1
    mapping = match(_statistics([PERMUTATION[symbols] for symbols in spoken]), text, start, 60, 0.05)
    assert _recovered(mapping) == list(range(PHONES))


def test_warm_start_of_an_unused_unit_is_open() -> None:
    start = warm_start(np.array([0, 0]), np.array([1, 1]), (200, 2, 3), np.random.default_rng(0)).mean(axis=0)
    assert start[0].argmax() == 1
    np.testing.assert_allclose(start[1], start[1].mean(), atol=0.15)
