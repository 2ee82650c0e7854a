import pytest
import torch

from unscribed.gan.optimizer import Adam

SHAPES = {"matrix": (4, 3), "vector": (5,), "scalar": ()}
RATES = torch.tensor([1e-2, 1e-1, 3e-3], dtype=torch.double)
SIZES = (0.1, 10.0, 1.0)  # of the gradients: only the second run's are clipped
STEPS = 6


def _random(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def _gradients(step: int) -> dict[str, torch.Tensor]:
    sizes = torch.tensor(SIZES, dtype=torch.double)
    drawn = {name: _random((3, *shape), 10 * step + number) for number, (name, shape) in enumerate(SHAPES.items())}
    return {name: gradient * sizes.view(-1, *[1] * (gradient.ndim - 1)) for name, gradient in drawn.items()}


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_every_run_equals_torch_adamw_with_its_own_rate_and_clipping(decay: float) -> None:
    start = {name: _random((3, *shape), 1000) for name, shape in SHAPES.items()}
    weights = {name: value.clone() for name, value in start.items()}
    optimizer = Adam(weights, decay)
    norms = torch.stack([optimizer.step(_gradients(step).values(), RATES) for step in range(STEPS)])
    for run, rate in enumerate(RATES.tolist()):
        alone = {name: torch.nn.Parameter(value[run].clone()) for name, value in start.items()}
        reference = torch.optim.AdamW(alone.values(), lr=rate, betas=(0.5, 0.98), eps=1e-6, weight_decay=decay)
        for step in range(STEPS):
            for name, gradient in _gradients(step).items():
                alone[name].grad = gradient[run].clone()
            norm = torch.nn.utils.clip_grad_norm_(alone.values(), 5.0)
            torch.testing.assert_close(norms[step, run], norm)
            assert (norm > 5) == (run == 1)
            reference.step()
        for name, value in alone.items():
            torch.testing.assert_close(weights[name][run], value.data)
            assert not torch.equal(weights[name][run], start[name][run])


def test_a_run_with_nan_gradients_harms_only_itself() -> None:
    def after(broken: bool) -> torch.Tensor:
        weights = {"w": torch.ones(2, 3)}
        gradient = torch.ones(2, 3)
        gradient[0] = torch.nan if broken else 1
        Adam(weights, 0.1).step([gradient], torch.tensor([0.1, 0.1]))
        return weights["w"]

    assert after(broken=True)[0].isnan().all()
    assert torch.equal(after(broken=True)[1], after(broken=False)[1])


def test_gradients_and_weights_have_to_match() -> None:
    with pytest.raises(ValueError, match="zip"):
        Adam({"w": torch.ones(1, 3), "v": torch.ones(1)}, 0.0).step([torch.ones(1, 3)], torch.tensor([0.1]))
