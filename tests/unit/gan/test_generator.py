from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from unscribed.gan.generator import Shape, generate, init_generator, init_statistics
from unscribed.gan.layers import mask_of

Tensor = torch.Tensor
RUNS, BATCH, SEGMENTS = 2, 4, 11
LENGTHS = torch.tensor([[11, 6, 1, 3], [2, 4, 9, 5]])
INSIDE = mask_of(LENGTHS, SEGMENTS)[..., None]
FIRST = Shape(dims=5, phones=4, kernel=4, stride=1, residual=False, targets=0)
SECOND = Shape(dims=5, phones=4, kernel=9, stride=3, residual=True, targets=6)
SCALE = 30.0


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def _weights(shape: Shape) -> dict[str, Tensor]:
    drawn = init_generator(shape, SCALE, [torch.Generator().manual_seed(run) for run in range(RUNS)])
    # no bias may stay at zero, or a test could not see it
    return {name: value.double() + 0.1 * _random(*value.shape) for name, value in drawn.items()}


def _statistics(shape: Shape) -> dict[str, Tensor]:
    return {name: value.double() for name, value in init_statistics(shape, RUNS).items()}


def _features(seed: int = 0) -> Tensor:
    return (3 * _random(RUNS, BATCH, SEGMENTS, 5, seed=seed) + 2) * INSIDE


def _masks(count: int) -> tuple[Tensor, ...]:
    drawn = [_random(RUNS, BATCH, SEGMENTS, 5, seed=10 + number) for number in range(count)]
    return tuple((one > 0).double() / 0.7 for one in drawn)


def _batch_norm(weights: dict[str, Tensor], run: int) -> torch.nn.BatchNorm1d:
    norm = torch.nn.BatchNorm1d(5, dtype=torch.double)
    norm.load_state_dict({"weight": weights["norm_scale"][run], "bias": weights["norm_bias"][run]}, strict=False)
    return norm


def _plain(
    weights: dict[str, Tensor], run: int, stride: int, rows: Tensor, masks: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor | None]:
    """The layers after the normalisation, one by one, for one utterance (S, D) without padding."""
    labels = None
    if "residual" in weights:
        added = (rows * masks[1]) @ weights["residual"][run] + weights["residual_bias"][run]
        labels = added @ weights["targets"][run] + weights["targets_bias"][run]
        rows = rows + added
    kernel = weights["conv"].shape[1]
    padded = functional.pad((rows * masks[0]).T[None], ((kernel - 1) // 2, kernel))
    logits = functional.conv1d(padded, weights["conv"][run].permute(2, 1, 0), stride=stride)[0].T
    return logits[: -(-len(rows) // stride)], labels


@pytest.mark.parametrize("training", [True, False])
def test_version_1_is_dropout_and_one_convolution(training: bool) -> None:
    weights, masks = {"conv": _weights(FIRST)["conv"]}, _masks(1)
    found = generate(weights, _statistics(FIRST), 1, _features(), LENGTHS, masks if training else None)
    assert found.target_logits is None
    assert torch.equal(found.lengths, LENGTHS)
    for run, row in enumerate(LENGTHS.tolist()):
        for item, length in enumerate(row):
            mask = masks[0][run, item, :length] if training else torch.ones(length, 5)
            expected, _ = _plain(weights, run, 1, _features()[run, item, :length], (mask,))
            torch.testing.assert_close(found.logits[run, item, :length], expected)


@pytest.mark.parametrize("shape", [SECOND, replace(SECOND, residual=False, targets=0)], ids=["residual", "plain"])
def test_version_2_in_training_and_evaluation(shape: Shape) -> None:
    """Batch normalisation is torch's of all frames inside the utterances, with its running statistics."""
    weights, statistics = _weights(shape), _statistics(shape)
    norms = [_batch_norm(weights, run) for run in range(RUNS)]
    for seed, training in enumerate((True, True, False)):
        features = _features(seed)
        masks = _masks(2) if training else None
        found = generate(weights, statistics, 3, features, LENGTHS, masks)
        assert found.lengths.tolist() == [[4, 2, 1, 1], [1, 2, 3, 2]]  # 11, 6, 1, 3; 2, 4, 9, 5
        assert found.logits.shape[2] == 4
        for run, norm in enumerate(norms):
            norm.train(training)
            rows = norm(features[run][INSIDE[run, ..., 0]]).split(LENGTHS[run].tolist())
            for item, length in enumerate(LENGTHS[run].tolist()):
                used = masks or (torch.ones_like(features),) * 2
                used = tuple(mask[run, item, :length] for mask in used)
                logits, labels = _plain(weights, run, 3, rows[item], used)
                torch.testing.assert_close(found.logits[run, item, : found.lengths[run, item]], logits)
                if shape.targets:
                    torch.testing.assert_close(found.target_logits[run, item, :length], labels)
            torch.testing.assert_close(statistics["mean"][run], norm.running_mean)
            torch.testing.assert_close(statistics["variance"][run], norm.running_var)


@pytest.mark.parametrize("training", [True, False])
def test_padding_and_masks_beyond_the_end_never_matter(training: bool) -> None:
    weights = _weights(SECOND)
    statistics, wide_statistics = _statistics(SECOND), _statistics(SECOND)
    masks = _masks(2)
    wide_masks = tuple(
        torch.cat([torch.where(INSIDE, one, 7 * _random(*one.shape)), _random(RUNS, BATCH, 4, 5)], dim=2)
        for one in masks
    )
    narrow = generate(weights, statistics, 3, _features(), LENGTHS, masks if training else None)
    features = functional.pad(_features(), (0, 0, 0, 4))
    wide = generate(weights, wide_statistics, 3, features, LENGTHS, wide_masks if training else None)
    torch.testing.assert_close(wide_statistics, statistics)
    assert torch.equal(wide.lengths, narrow.lengths)
    inside = mask_of(narrow.lengths, narrow.logits.shape[2])
    torch.testing.assert_close(wide.logits[:, :, : inside.shape[2]][inside], narrow.logits[inside])
    inside = INSIDE[..., 0]
    torch.testing.assert_close(wide.target_logits[:, :, :SEGMENTS][inside], narrow.target_logits[inside])


def test_a_run_is_the_same_alone() -> None:
    def draw(*runs: int) -> dict[str, Tensor]:
        return init_generator(SECOND, SCALE, [torch.Generator().manual_seed(run) for run in runs])

    together, alone = draw(0, 1), draw(1)
    assert {name: value[1:].tolist() for name, value in together.items()} == {
        name: value.tolist() for name, value in alone.items()
    }
    assert together["norm_scale"].tolist() == [[30] * 5] * 2
    weights, statistics, features = _weights(SECOND), _statistics(SECOND), _features()
    masks = _masks(2)
    found = generate(weights, statistics, 3, features, LENGTHS, masks)
    weights, statistics = ({k: v[1:] for k, v in one.items()} for one in (weights, _statistics(SECOND)))
    only = generate(weights, statistics, 3, features[1:], LENGTHS[1:], tuple(mask[1:] for mask in masks))
    torch.testing.assert_close(only.logits, found.logits[1:])
    torch.testing.assert_close(only.target_logits, found.target_logits[1:])


def test_a_batch_of_one_frame_stays_finite() -> None:
    weights, statistics = _weights(SECOND), _statistics(SECOND)
    features, lengths = _features()[:, :1, :1], torch.ones(RUNS, 1, dtype=torch.long)
    found = generate(weights, statistics, 3, features, lengths, tuple(mask[:, :1, :1] for mask in _masks(2)))
    assert found.logits.shape == (RUNS, 1, 1, 4)
    assert all(value.isfinite().all() for value in (found.logits, found.target_logits, *statistics.values()))
