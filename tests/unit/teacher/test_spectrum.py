import torch

from unscribed.ssl.waveform import mask_of
from unscribed.teacher.spectrum import CEPSTRA, floored, normalised, seen, smoothed, warped

RATE, BINS = 16000, 40


def batch(lengths: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(lengths), max(lengths), BINS, generator=generator), torch.tensor(lengths)


def test_what_is_seen_does_not_depend_on_the_padding() -> None:
    x, lengths = batch([9, 5])
    other = torch.cat([x, 100 * torch.ones(2, 4, BINS)], dim=1)
    other[1, 5:] = 77.0
    warps, floors = torch.tensor([1.1, 0.9]), torch.tensor([2.0, 1.0])
    once, again = (seen(one, lengths, warps, floors, RATE) for one in (x, other))
    assert torch.allclose(once, again[:, :9], atol=1e-5)
    assert not again[:, 9:].any() and not again[1, 5:].any()


def test_a_floor_is_so_many_nats_below_the_peak_of_its_utterance() -> None:
    x = torch.zeros(2, 3, 2)
    x[0, 1, 0], x[1, 0, 1] = 10.0, 4.0
    x[1, 2] = 50.0  # behind the end
    found = floored(x, torch.tensor([3, 2]), torch.tensor([6.0, 6.0]))
    assert found[0].tolist() == [[4, 4], [10, 4], [4, 4]]
    assert found[1, :2].tolist() == [[0, 4], [0, 0]]


def test_a_warp_moves_a_peak_up_by_its_factor() -> None:
    top = 2595 * torch.log10(torch.tensor(1 + RATE / 2 / 700))
    hertz = 700 * (10 ** (top * torch.arange(1, BINS + 1) / (BINS + 1) / 2595) - 1)
    x = torch.exp(-(((hertz - 1500) / 300) ** 2))[None, None]  # a formant at 1.5 kHz
    for factor in (0.8, 1.0, 1.25):
        found = warped(x, torch.tensor([factor]), RATE)[0, 0]
        assert abs(float((found * hertz).sum() / found.sum()) / (1500 * factor) - 1) < 0.05
    assert torch.allclose(warped(x, torch.ones(1), RATE), x, atol=1e-4)


def test_smoothing_keeps_slow_cosines_and_removes_fast_ones() -> None:
    places = (torch.arange(BINS) + 0.5) / BINS
    slow, fast = (torch.cos(torch.pi * order * places)[None, None] for order in (CEPSTRA - 1, CEPSTRA))
    assert torch.allclose(smoothed(slow), slow, atol=1e-5)
    assert smoothed(fast).abs().max() < 1e-5


def test_gain_and_filter_of_a_recording_do_not_matter() -> None:
    x, lengths = batch([30, 20])
    colour = torch.linspace(-3, 3, BINS)
    assert torch.allclose(normalised(x + 5 + colour, lengths), normalised(x, lengths), atol=1e-4)
    mask = mask_of(lengths, 30)
    assert normalised(x, lengths)[mask].mean().abs() < 1e-4
