import pytest
import torch
from torch.nn import functional

from unscribed.gan.discriminator import Discriminator, init_discriminator
from unscribed.gan.layers import mask_of

Tensor = torch.Tensor
PHONES, CHANNELS, POSITIONS = 5, 7, 12
LENGTHS = torch.tensor([[12, 5, 2, 1], [3, 12, 7, 9]])
CLOSE = {"rtol": 1e-6, "atol": 1e-6}  # a length's reciprocal has single precision


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def _weights(kernel: int) -> dict[str, Tensor]:
    drawn = init_discriminator(PHONES, CHANNELS, kernel, [torch.Generator().manual_seed(run) for run in range(2)])
    return {name: (3 * weight).double().requires_grad_() for name, weight in drawn.items()}


def _plain(weights: dict[str, Tensor], run: int, sequence: Tensor) -> Tensor:
    """The published network, layer by layer, on one sequence (T, V)."""
    past = (weights["embed"].shape[1] - 1, 0)
    x = functional.pad(sequence.T[None], past)
    x = functional.conv1d(x, weights["embed"][run].permute(2, 1, 0), weights["embed_bias"][run])
    x = functional.conv1d(functional.pad(x, past), weights["hidden"][run].permute(2, 1, 0), weights["hidden_bias"][run])
    x = functional.pad(functional.gelu(x), past)
    return functional.conv1d(x, weights["out"][run].T[None], weights["out_bias"][run, None]).mean()


def _expected(weights: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (N, B) and input gradients (N, B, T, V), which can be differentiated again."""
    scores, gradients = torch.zeros(LENGTHS.shape, dtype=torch.double), torch.zeros_like(x)
    for run, row in enumerate(LENGTHS.tolist()):
        for item, length in enumerate(row):
            sequence = x[run, item, :length].clone().requires_grad_()
            scores[run, item] = _plain(weights, run, sequence)
            (gradients[run, item, :length],) = torch.autograd.grad(scores[run, item], sequence, create_graph=True)
    return scores, gradients


def _compare_gradients(found: Tensor, expected: Tensor, weights: dict[str, Tensor]) -> None:
    """Assert that a function of both has the same gradient with respect to each weight; no gradient counts as zero."""
    pull = _random(*found.shape, seed=9)
    for name, weight in weights.items():
        both = [
            torch.autograd.grad((value * pull + value.square()).sum(), weight, retain_graph=True, allow_unused=True)[0]
            for value in (found, expected)
        ]
        torch.testing.assert_close(
            *[torch.zeros_like(weight) if one is None else one for one in both], msg=name, **CLOSE
        )


@pytest.mark.parametrize("kernel", [1, 3, 6])
def test_equals_three_convolutions(kernel: int) -> None:
    weights = _weights(kernel)
    x = _random(2, 4, POSITIONS, PHONES) * mask_of(LENGTHS, POSITIONS)[..., None]
    model = Discriminator(weights)
    scores = model.score(model.preactivate(x), LENGTHS)
    expected, _ = _expected(weights, x)
    torch.testing.assert_close(scores, expected, **CLOSE)
    _compare_gradients(scores, expected, weights)


@pytest.mark.parametrize("kernel", [1, 3, 6])
def test_input_gradient_and_its_own_gradient(kernel: int) -> None:
    weights = _weights(kernel)
    x = _random(2, 4, POSITIONS, PHONES) * mask_of(LENGTHS, POSITIONS)[..., None]
    model = Discriminator(weights)
    found = model.input_gradient(model.preactivate(x), LENGTHS)
    _, expected = _expected(weights, x)
    torch.testing.assert_close(found, expected, **CLOSE)
    assert not found[~mask_of(LENGTHS, POSITIONS)].any()
    _compare_gradients(found, expected, weights)


def test_the_gradient_reaches_the_sequences() -> None:
    weights = _weights(3)
    x = (_random(2, 4, POSITIONS, PHONES) * mask_of(LENGTHS, POSITIONS)[..., None]).requires_grad_()
    model = Discriminator(weights)
    (found,) = torch.autograd.grad(model.score(model.preactivate(x), LENGTHS).sum(), x)
    torch.testing.assert_close(found, _expected(weights, x.detach())[1].detach(), **CLOSE)


def test_text_is_one_hot() -> None:
    weights = _weights(4)
    tokens = torch.randint(PHONES, (2, 4, POSITIONS), generator=torch.Generator().manual_seed(0))
    inside = mask_of(LENGTHS, POSITIONS)[..., None]
    model = Discriminator(weights)
    found = model.preactivate_text(tokens, LENGTHS)
    expected = model.preactivate(functional.one_hot(tokens, PHONES) * inside.double())
    torch.testing.assert_close(found, expected)  # beyond the end, too: it is what zeros there give
    _compare_gradients(found, expected, weights)


def test_padding_never_matters() -> None:
    weights, more = _weights(4), POSITIONS + 5
    inside = mask_of(LENGTHS, more)
    x, garbage = _random(2, 4, more, PHONES) * inside[..., None], _random(2, 4, more, PHONES, seed=1)
    tokens = torch.randint(PHONES, (2, 4, more), generator=torch.Generator().manual_seed(0))
    other = torch.where(inside, tokens, (tokens + 1) % PHONES)
    model = Discriminator(weights)
    for narrow, wide in (
        (model.preactivate(x[:, :, :POSITIONS]), model.preactivate(torch.where(inside[..., None], x, garbage))),
        (model.preactivate_text(tokens[:, :, :POSITIONS], LENGTHS), model.preactivate_text(other, LENGTHS)),
    ):
        torch.testing.assert_close(model.score(narrow, LENGTHS), model.score(wide, LENGTHS))
        gradient = model.input_gradient(wide, LENGTHS)
        torch.testing.assert_close(model.input_gradient(narrow, LENGTHS), gradient[:, :, :POSITIONS])
        assert not gradient[:, :, POSITIONS:].any()


def test_initial_weights_of_a_run_do_not_depend_on_the_others() -> None:
    def draw(*seeds: int) -> dict[str, Tensor]:
        return init_discriminator(PHONES, CHANNELS, 3, [torch.Generator().manual_seed(seed) for seed in seeds])

    together, alone = draw(4, 5), draw(5)
    for name, weight in together.items():
        assert torch.equal(weight[1:], alone[name])
        fan_in = 3 * (PHONES if name.startswith("embed") else CHANNELS)
        assert weight.abs().max() <= fan_in**-0.5
