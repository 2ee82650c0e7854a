import pytest
import torch

from unscribed.gan.join import joined_positions, mean, sample

PHONES = 3
# Two runs of two utterances: the phones predicted, with garbage beyond the lengths.
PREDICTED = torch.tensor([[[0, 0, 0, 1, 2, 2], [1, 1, 0, 0, 1, 2]], [[2, 0, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1]]])
LENGTHS = torch.tensor([[6, 3], [5, 1]])
JOINED = [[3, 2], [3, 1]]


def _logits(predicted: torch.Tensor, dtype: torch.dtype = torch.float) -> torch.Tensor:
    """Logits that identify their frame: 100 for the predicted phone, plus the frame's number for every phone."""
    frames = torch.arange(predicted.shape[-1])[:, None]
    return (torch.nn.functional.one_hot(predicted, PHONES) * 100 + frames).to(dtype)


def _frames(joined: torch.Tensor, lengths: torch.Tensor) -> list[list[list[int]]]:
    """Return the frames that the joined logits come from; asserts that padding is zero."""
    inside = torch.arange(joined.shape[2]) < lengths[..., None]
    assert not joined[~inside].any()
    return [
        [joined[run, item, :length].amin(-1).int().tolist() for item, length in enumerate(row)]
        for run, row in enumerate(lengths.tolist())
    ]


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        (0.0, [[[0, 3, 4], [0, 2]], [[0, 1, 2], [0]]]),
        (0.5, [[[1, 3, 5], [1, 2]], [[0, 1, 3], [0]]]),
        (0.999, [[[2, 3, 5], [1, 2]], [[0, 1, 4], [0]]]),
    ],
)
def test_sample_by_hand(draws: float, expected: list[list[list[int]]]) -> None:
    joined, lengths = sample(_logits(PREDICTED), LENGTHS, torch.full(PREDICTED.shape, draws))
    assert lengths.tolist() == JOINED
    assert _frames(joined, lengths) == expected
    assert joined[0, 0, 1].tolist() == [3, 103, 3]  # the logits themselves, not only the frame


def test_the_draw_at_the_first_segment_decides() -> None:
    draws = torch.rand(PREDICTED.shape, generator=torch.Generator().manual_seed(0))
    draws[0, 0, [0, 3, 4]] = torch.tensor([0.4, 0.9, 0.1])
    joined, lengths = sample(_logits(PREDICTED), LENGTHS, draws)
    assert _frames(joined, lengths)[0][0] == [1, 3, 4]


def test_mean_by_hand() -> None:
    joined, lengths, numbers = mean(_logits(PREDICTED), LENGTHS)
    assert lengths.tolist() == JOINED
    assert _frames(joined, lengths)[1] == [[0, 1, 3], [0]]
    assert joined[0, 0].tolist() == [[101, 1, 1], [3, 103, 3], [4.5, 4.5, 104.5]]
    assert joined[0, 1].tolist() == [[0.5, 100.5, 0.5], [102, 2, 2], [0, 0, 0]]
    assert numbers[0, 0].tolist() == [0, 0, 0, 1, 2, 2]
    assert numbers[1, 0, :5].tolist() == [0, 1, 2, 2, 2]


def test_padding_never_matters() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, draws = torch.randn(2, 5, 9, PHONES, generator=generator), torch.rand(2, 5, 9, generator=generator)
    lengths = torch.tensor([[9, 4, 1, 7, 2], [3, 1, 8, 6, 5]])
    inside = torch.arange(14) < lengths[..., None]
    wide = torch.randn(2, 5, 14, PHONES, generator=generator) * 50
    wide_draws = torch.rand(2, 5, 14, generator=generator)
    wide[:, :, :9] = torch.where(inside[:, :, :9, None], logits, wide[:, :, :9])
    wide_draws[:, :, :9] = torch.where(inside[:, :, :9], draws, wide_draws[:, :, :9])

    torch.testing.assert_close(sample(wide, lengths, wide_draws), sample(logits, lengths, draws), rtol=0, atol=0)
    torch.testing.assert_close(mean(wide, lengths)[:2], mean(logits, lengths)[:2])
    for run in range(2):
        for item, length in enumerate(lengths[run].tolist()):
            alone = logits[run : run + 1, item : item + 1, :length], lengths[run : run + 1, item : item + 1]
            numbers, joined = joined_positions(*alone)
            assert joined_positions(wide, lengths)[1][run, item] == joined
            assert torch.equal(joined_positions(wide, lengths)[0][run, item, :length], numbers[0, 0])


def test_the_gradient_reaches_the_sampled_segments_only() -> None:
    logits = _logits(PREDICTED, torch.double).requires_grad_()
    joined, lengths = sample(logits, LENGTHS, torch.full(PREDICTED.shape, 0.5))
    pull = torch.randn(joined.shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    (gradient,) = torch.autograd.grad((joined * pull).sum(), logits)
    expected = torch.zeros_like(gradient)
    for run, row in enumerate(_frames(joined.detach(), lengths)):
        for item, frames in enumerate(row):
            expected[run, item, frames] = pull[run, item, : len(frames)]
    assert torch.equal(gradient, expected)


def test_every_segment_of_a_run_is_equally_likely() -> None:
    cases, length = 4000, 5
    draws = torch.zeros(1, cases, length + 1)
    draws[0, :, 1] = (torch.arange(cases) + 0.5) / cases
    predicted = torch.tensor([0] + [1] * length).expand(1, cases, -1)
    joined, lengths = sample(_logits(predicted), torch.full((1, cases), length + 1), draws)
    counts = torch.tensor([frames[1] for frames in _frames(joined, lengths)[0]]).bincount()
    assert counts.tolist() == [0] + [cases // length] * length


def test_the_largest_draw_stays_in_its_run() -> None:
    length = 300
    logits = torch.zeros(1, length, length + 1, 2)
    lengths = torch.arange(1, length + 1)[None]
    logits[..., 0] = torch.arange(length + 1) < lengths[..., None]  # run of item i: i + 1 segments, then another phone
    logits[..., 1] = 0.5 + torch.arange(length + 1)[None, None] * 1e-6
    joined, counts = sample(logits, lengths + 1, torch.full((1, length, length + 1), 1 - 2.0**-24))
    assert (counts == 2).all()
    assert (joined[0, :, 0, 0] == 1).all()
    torch.testing.assert_close(joined[0, :, 0, 1], 0.5 + torch.arange(length) * 1e-6, rtol=0, atol=1e-7)
