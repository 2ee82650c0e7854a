import numpy as np
import torch

from unscribed.teacher.augment import SMEARS, augmented, banded, equaliser, noisy, smeared

RATE, BINS = 16000, 40


def batch(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = 3 * torch.randn(len(lengths), max(lengths), BINS, generator=generator)
    labels = torch.randint(5, (len(lengths), max(lengths)), generator=generator)
    return x, labels, torch.tensor(lengths)


def test_the_same_draws_give_the_same_batch_whatever_is_padded() -> None:
    x, labels, lengths = batch([60, 31])
    other, marked = torch.nn.functional.pad(x, (0, 0, 0, 7)), torch.nn.functional.pad(labels, (0, 7))
    other[1, 31:], marked[1, 31:] = 99.0, 4
    first = augmented(x, labels, lengths, RATE, torch.Generator().manual_seed(3))
    again = augmented(other, marked, lengths, RATE, torch.Generator().manual_seed(3))
    assert first[2].tolist() == again[2].tolist()
    for place, length in enumerate(first[2].tolist()):
        assert torch.allclose(first[0][place, :length], again[0][place, :length], atol=1e-4)
        assert first[1][place, :length].tolist() == again[1][place, :length].tolist()
    different = augmented(x, labels, lengths, RATE, torch.Generator().manual_seed(4))
    assert different[2].tolist() != first[2].tolist()


def test_labels_keep_their_order_and_share() -> None:
    x, _, lengths = batch([100])
    labels = torch.repeat_interleave(torch.arange(5), 20)[None]
    _, moved, longer = augmented(x, labels, lengths, RATE, torch.Generator().manual_seed(0))
    kept = moved[0, : int(longer[0])]
    assert (kept.diff() >= 0).all()
    assert np.allclose(np.bincount(kept) / len(kept), 0.2, atol=0.02)


def test_a_noise_fills_what_is_softer_than_it() -> None:
    x = torch.tensor([[[0.0, -20.0]]])
    found = noisy(x, torch.zeros(1, 1, 1), torch.tensor([5.0]), torch.tensor([2.0]))
    assert torch.allclose(found, torch.tensor([[[float(np.log1p(np.exp(-6.0))), -4.0]]]), atol=1e-4)


def test_smearing_averages_a_frame_with_those_before_it() -> None:
    x = torch.tensor([1.0, 2.0, 6.0])[None, :, None].expand(SMEARS, 3, 1)
    found = smeared(x, torch.full((SMEARS,), 3), torch.tensor([1, 2, 3]))[..., 0]
    assert torch.allclose(found, torch.tensor([[1, 2, 6], [1, 1.5, 4], [1, 4 / 3, 3]]))


def test_bands_and_curves() -> None:
    x = torch.ones(2, 3, BINS)
    found = banded(x, torch.tensor([0, 38]), torch.tensor([0, 8]))
    assert found[0].all() and found[1, 0].tolist() == [1.0] * 38 + [0.0] * 2
    curve = equaliser(torch.tensor([[1.0, 0.0]]), BINS)[0, 0]
    assert (curve.diff() < 0).all() and abs(float(curve.mean())) < 1e-6  # half a cosine, which changes no level
