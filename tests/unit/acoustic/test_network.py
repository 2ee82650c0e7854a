import torch

from unscribed.acoustic.network import FrameNetwork, MaskedNorm


def network() -> FrameNetwork:
    torch.manual_seed(0)
    return FrameNetwork(inputs=6, channels=8, phones=4, dropout=0.1, stride=2)


def test_padding_and_neighbours_change_nothing() -> None:
    one = network().eval()
    x = torch.randn(1, 9, 6)
    alone, lengths = one(x, torch.tensor([9]))
    beside = torch.full((2, 20, 6), 50.0)
    beside[0] = 0.0
    beside[0, :9] = x
    together, both = one(beside, torch.tensor([9, 20]))
    assert lengths.tolist() == [5] and both.tolist() == [5, 10]
    assert torch.allclose(alone[0], together[0, :5], atol=1e-5)


def test_statistics_of_a_batch_leave_out_its_padding() -> None:
    norm = MaskedNorm(3)
    x = torch.randn(2, 3, 7)
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3], dtype=torch.float32)[:, None]
    found = norm(x, mask)
    kept = torch.cat([found[0], found[1, :, :4]], dim=1)
    assert torch.allclose(kept.mean(1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(kept.var(1, unbiased=False), torch.ones(3), atol=1e-3)
    x[1, :, 4:] = 1e6
    assert torch.allclose(norm(x, mask)[1, :, :4], found[1, :, :4], atol=1e-5)


def test_every_second_frame_is_an_output() -> None:
    assert network().output_lengths(torch.tensor([1, 2, 3, 4])).tolist() == [1, 1, 2, 2]
