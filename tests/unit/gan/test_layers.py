import itertools

import pytest
import torch
from torch.nn import functional

from unscribed.gan.layers import convolve, mask_of, sum_taps, uniform, windows


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def test_windows_by_hand() -> None:
    x = torch.tensor([1.0, 2, 3, 4])[:, None]
    assert windows(x, 3)[..., 0].tolist() == [[1, 2, 3], [2, 3, 4]]
    assert sum_taps(torch.tensor([[1.0, 2, 3], [20, 30, 40]])[..., None])[:, 0].tolist() == [1, 22, 33, 40]


def test_windows_and_sum_taps_are_adjoint() -> None:
    x, z = _random(2, 3, 7, 4), _random(2, 3, 5, 3, 4, seed=1)
    torch.testing.assert_close((windows(x, 3) * z).sum(), (x * sum_taps(z)).sum())
    assert torch.autograd.gradcheck(lambda x: windows(x, 3), x.requires_grad_())
    assert torch.autograd.gradcheck(sum_taps, z.requires_grad_())


@pytest.mark.parametrize(
    ("taps", "stride", "expected"),
    [
        ([100, 10, 1], 1, [12, 123, 234, 345, 450]),
        ([100, 10, 1], 2, [12, 234, 450]),
        ([10, 1], 1, [12, 23, 34, 45, 50]),  # the present and the next
        ([1000, 100, 10, 1], 1, [123, 1234, 2345, 3450, 4500]),  # one before, two after
        ([1000, 100, 10, 1], 3, [123, 3450]),
    ],
)
def test_convolve_is_centred(taps: list[int], stride: int, expected: list[int]) -> None:
    x = torch.tensor([1.0, 2, 3, 4, 5])[None, None, :, None].repeat(2, 1, 1, 1)
    weight = torch.tensor(taps, dtype=torch.float)[None, :, None, None] * torch.tensor([1.0, -2])[:, None, None, None]
    found = convolve(x, weight, stride)[:, 0, :, 0]
    assert found.tolist() == [expected, [-2 * value for value in expected]]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 9])
def test_convolve_equals_conv1d(taps: int, stride: int) -> None:
    left = (taps - 1) // 2
    for positions in (1, 2, 3, 10, 11, 12):
        x, weight = _random(2, 3, positions, 4).requires_grad_(), _random(2, taps, 4, 5, seed=1).requires_grad_()
        found = convolve(x, weight, stride)
        padded = functional.pad(x, (0, 0, left, taps)).transpose(2, 3)
        rows = [functional.conv1d(padded[run], weight[run].permute(2, 1, 0), stride=stride) for run in range(2)]
        expected = torch.stack(rows).transpose(2, 3)[:, :, : -(-positions // stride)]
        torch.testing.assert_close(found, expected)
        pull = _random(*found.shape, seed=2)
        gradients = [torch.autograd.grad((value * pull).sum(), [x, weight]) for value in (found, expected)]
        torch.testing.assert_close(*gradients)


def test_mask_of_lengths() -> None:
    assert mask_of(torch.tensor([[0, 2], [3, 1]]), 3).int().tolist() == [[[0, 0, 0], [1, 1, 0]], [[1, 1, 1], [1, 0, 0]]]


def test_initial_weights_of_a_run_do_not_depend_on_the_others() -> None:
    def draw(*seeds: int) -> torch.Tensor:
        return uniform((50, 20), 16, [torch.Generator().manual_seed(seed) for seed in seeds])

    together = draw(1, 2, 3)
    assert torch.equal(together, torch.cat([draw(seed) for seed in (1, 2, 3)]))
    assert 0.249 < together.abs().max() <= 0.25  # 1 / sqrt(16)
    assert all(not torch.equal(one, other) for one, other in itertools.combinations(together, 2))
