import math

import pytest
import torch

from unscribed.gan.discriminator import Discriminator, init_discriminator
from unscribed.gan.layers import mask_of
from unscribed.gan.losses import COMPUTED, adversarial, auxiliary, diversity, gradient_penalty, smoothness
from unscribed.gan.penalties import PENALTIES

Tensor = torch.Tensor


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def _tensor(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.double)


def test_every_penalty_is_computed() -> None:
    assert COMPUTED.keys() == PENALTIES.keys()


def test_adversarial_by_hand() -> None:
    scores = _tensor([0, math.log(3)], [math.log(3), math.log(3)])  # high means fake
    torch.testing.assert_close(adversarial(scores, fake=True), _tensor(math.log(8 / 3) / 2, math.log(4 / 3)))
    torch.testing.assert_close(adversarial(scores, fake=False), _tensor(math.log(8) / 2, math.log(4)))


def test_smoothness_by_hand() -> None:
    logits = _tensor([[[0, 0], [1, 2], [1, 4]], [[0, 0], [3, 0], [8, 8]], [[5, 5], [7, 7], [8, 8]]])
    lengths = torch.tensor([[3, 2, 1]])
    # squares 1 + 4, 0 + 4 and 9 + 0; the mean of three pairs of two numbers
    torch.testing.assert_close(smoothness(logits, lengths), _tensor(3))
    assert smoothness(logits[:, :, :1], torch.ones_like(lengths)).tolist() == [0]  # no neighbours at all


def test_diversity_by_hand() -> None:
    one = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3])).double()
    batches = torch.stack([one[[0, 1, 2, 3]], one[[2, 2, 2, 2]], one[[0, 0, 3, 3]], one[[0, 0, 0, 1]]])[:, None]
    lengths = torch.full((4, 1), 4)
    found = diversity(batches, lengths)
    torch.testing.assert_close(found[:3], _tensor(0, 3 / 4, 1 / 2))
    perplexity = 0.75**-0.75 * 0.25**-0.25
    torch.testing.assert_close(found[3], _tensor(1 - perplexity / 4)[0])
    # every position counts alike, in whichever sequence: three of one phone and one of another
    split = torch.stack([one[[0, 0, 0]], one[[1, 0, 0]] * _tensor(1, 0, 0)[:, None]])[None]
    torch.testing.assert_close(diversity(split, torch.tensor([[3, 1]])), found[3:])


def test_auxiliary_by_hand() -> None:
    logits = _tensor([[[0, math.log(3)], [0, math.log(3)]], [[0, 0], [9, -9]]])
    found = auxiliary(logits, torch.tensor([[[1, 0], [1, 1]]]), torch.tensor([[2, 1]]))
    torch.testing.assert_close(found, _tensor((math.log(4 / 3) + math.log(4) + math.log(2)) / 3))


def test_gradient_penalty_by_hand() -> None:
    """Where GELU is the identity, D(x) is the mean over time of 4 x₀ + x₁."""
    shapes = {name: weight.shape for name, weight in init_discriminator(2, 1, 1, [torch.Generator()]).items()}
    weights = {name: torch.ones(shape, dtype=torch.double) for name, shape in shapes.items()}
    weights["embed"] = _tensor(4, 1).view(shapes["embed"])
    weights["hidden_bias"] = torch.full(shapes["hidden_bias"], 50, dtype=torch.double)
    model, lengths = Discriminator(weights), torch.tensor([[4, 1]])
    real, fake = (model.preactivate(_random(1, 2, 4, 2, seed=seed).sigmoid()) for seed in (0, 1))
    # Four positions: each has gradient 4/4 and 1/4, norms over time 2 and 1/2; one position: norms 4 and 1.
    expected = ((2 - 1) ** 2 + (0.5 - 1) ** 2 + (4 - 1) ** 2 + 0) / 2
    torch.testing.assert_close(gradient_penalty(model, real, fake, lengths, _tensor([0.3, 0.6])), _tensor(expected))


def _plain_penalty(weights: dict[str, Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """The penalty of one pair of sequences (T, V) by its definition, as a function of the discriminator's weights."""
    point = (mix * real + (1 - mix) * fake).clone().requires_grad_()
    model = Discriminator(weights)
    score = model.score(model.preactivate(point[None, None]), torch.tensor([[len(point)]]))
    # `score` cannot be differentiated twice: difference quotients stand for the gradient's own gradient
    (gradient,) = torch.autograd.grad(score.sum(), point)
    return (gradient.norm(dim=0) - 1).square().sum()


def test_gradient_penalty_equals_its_definition() -> None:
    weights = init_discriminator(4, 6, 3, [torch.Generator().manual_seed(run) for run in range(2)])
    weights = {name: 3 * weight.double() for name, weight in weights.items()}
    lengths = torch.tensor([[9, 2, 1], [4, 7, 9]])
    inside = mask_of(lengths, 9)[..., None]
    real, fake = ((2 * _random(2, 3, 9, 4, seed=seed)).softmax(-1) * inside for seed in (0, 1))
    mix = _tensor([0.0, 0.3, 0.6], [1.0, 0.5, 0.9])

    def plain(weights: dict[str, Tensor]) -> Tensor:
        total = [
            [
                _plain_penalty(
                    {name: weight[run, None] for name, weight in weights.items()},
                    real[run, item, :length],
                    fake[run, item, :length],
                    mix[run, item],
                )
                for item, length in enumerate(row)
            ]
            for run, row in enumerate(lengths.tolist())
        ]
        return torch.tensor(total, dtype=torch.double).mean(1)

    trained = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    model = Discriminator(trained)
    found = gradient_penalty(model, model.preactivate(real), model.preactivate(fake), lengths, mix)
    torch.testing.assert_close(found.detach(), plain(weights))

    gradients = torch.autograd.grad(found.sum(), list(trained.values()), materialize_grads=True)
    for seed, (name, gradient) in enumerate(zip(trained, gradients, strict=True)):
        step = 1e-5 * _random(*gradient.shape, seed=seed)
        rise = plain(weights | {name: weights[name] + step}) - plain(weights | {name: weights[name] - step})
        torch.testing.assert_close((2 * gradient * step).sum(), rise.sum(), rtol=1e-6, atol=1e-10, msg=name)


def test_gradient_penalty_at_a_phone_without_gradient() -> None:
    """The norm's derivative at zero is not defined; there it is taken as zero."""
    weights = init_discriminator(3, 4, 2, [torch.Generator().manual_seed(0)])
    weights["embed"][:, :, 1] = 0
    trained = {name: weight.requires_grad_() for name, weight in weights.items()}
    model = Discriminator(trained)
    hidden = model.preactivate(torch.ones(1, 1, 5, 3))
    found = gradient_penalty(model, hidden, hidden, torch.tensor([[5]]), torch.tensor([[0.5]]))
    gradients = torch.autograd.grad(found.sum(), list(trained.values()), allow_unused=True)
    assert all(one.isfinite().all() for one in (found, *gradients) if one is not None)


BATCH, POSITIONS, PHONES = 4, 6, 5
LENGTHS = torch.tensor([[6, 1, 3, 5], [2, 4, 4, 1]])


def _losses(width: int, runs: slice, noise: float) -> dict[str, Tensor]:
    """All losses of some runs of one fixed batch, padded to `width` with `noise`."""
    inside = mask_of(LENGTHS, width)[..., None]

    def padded(seed: int, dims: int) -> Tensor:
        wide = noise * _random(2, BATCH, width, dims, seed=100 + seed)
        wide[:, :, :POSITIONS] = torch.where(inside[:, :, :POSITIONS], _random(2, BATCH, POSITIONS, dims, seed=seed), 0)
        return torch.where(inside, wide, noise * _random(2, BATCH, width, dims, seed=200 + seed))

    weights = init_discriminator(PHONES, 3, 2, [torch.Generator().manual_seed(run) for run in range(2)])
    model = Discriminator({name: weight[runs].double() for name, weight in weights.items()})
    real, fake = model.preactivate(padded(0, PHONES)[runs]), model.preactivate(padded(1, PHONES)[runs])
    targets = torch.where(inside[..., 0], torch.arange(width) % 3, int(noise))
    lengths, mix = LENGTHS[runs], _random(2, BATCH, seed=5).sigmoid()[runs]
    return {
        "adversarial": adversarial(model.score(fake, lengths), fake=True),
        "gradient_penalty": gradient_penalty(model, real, fake, lengths, mix),
        "smoothness": smoothness(padded(2, PHONES)[runs], lengths),
        "diversity": diversity((padded(3, PHONES).softmax(-1) * inside)[runs], lengths),
        "auxiliary": auxiliary(padded(4, 3)[runs], targets[runs], lengths),
    }


NAMES = ["adversarial", "gradient_penalty", "smoothness", "diversity", "auxiliary"]


@pytest.mark.parametrize("name", NAMES)
def test_padding_and_other_runs_never_matter(name: str) -> None:
    both = _losses(POSITIONS, slice(0, 2), noise=0)[name]
    assert both[0] != both[1]
    torch.testing.assert_close(_losses(POSITIONS + 4, slice(0, 2), noise=2)[name], both)
    for run in range(2):
        torch.testing.assert_close(_losses(POSITIONS, slice(run, run + 1), noise=0)[name], both[run : run + 1])
