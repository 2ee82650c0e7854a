import numpy as np
import torch

from unscribed.acoustic.network import FrameNetwork
from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.acoustic.network_training import NO_LABEL, Batch, crops, frame_loss, one_cycle, stretched, updates

SETTINGS = NetworkSettings(
    channels=8,
    dropout=0.1,
    updates=40,
    batch_utterances=4,
    max_seconds=1.0,
    learning_rate=0.02,
    label_smoothing=0.0,
)


def test_stretching_moves_labels_with_their_frames() -> None:
    x = torch.arange(6.0)[None, :, None].expand(2, 6, 3).clone()
    labels = torch.tensor([[0, 0, 1, 1, 2, 2], [0, 1, 2, 2, 9, 9]])
    found, moved, lengths = stretched(x, labels, torch.tensor([6, 4]), torch.tensor([2.0, 0.5]))
    assert lengths.tolist() == [12, 2]
    assert moved[0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2] or moved[0].sum() == labels[0].sum() * 2
    assert found[0, 0, 0] == 0 and abs(float(found[0, 11, 0]) - 5) < 1e-4  # both ends stay
    assert moved[1, :2].tolist() == [0, 2] and 9 not in moved[1, :2].tolist()


def test_parts_of_utterances_keep_their_labels() -> None:
    frames = [np.arange(50, dtype=np.float32)[:, None], np.arange(5, dtype=np.float32)[:, None]]
    labels = [np.arange(50), np.arange(5)]
    x, targets, lengths = crops(frames, labels, 20, np.random.default_rng(0))
    assert lengths.tolist() == [20, 5] and x.shape == (2, 20, 1)
    assert torch.equal(x[0, :, 0].long(), targets[0]) and targets[0, 0] > 0
    assert targets[1].tolist() == [0, 1, 2, 3, 4] + [NO_LABEL] * 15


def test_frames_behind_the_end_and_without_label_cost_nothing() -> None:
    torch.manual_seed(0)
    network = FrameNetwork(2, 8, 3, 0.0, stride=2).eval()
    x, labels = torch.randn(1, 8, 2), torch.tensor([[0, 0, 1, 1, 2, 2, 1, 1]])
    loss = frame_loss(network, x, labels, torch.tensor([8]), 0.0)
    beside = torch.tensor([[0, 5, 1, 5, 2, 5, 1, 5]])  # frames between outputs are not asked for
    assert torch.equal(loss, frame_loss(network, x, beside, torch.tensor([8]), 0.0))
    both = torch.full((2, 14, 2), 9.0)  # the other utterance is longer, and nothing is known of it
    both[0] = torch.nn.functional.pad(x[0], (0, 0, 0, 6))
    known = torch.full((2, 14), NO_LABEL)
    known[0] = torch.nn.functional.pad(labels[0], (0, 6), value=1)
    assert torch.allclose(loss, frame_loss(network, both, known, torch.tensor([8, 14]), 0.0), atol=1e-5)
    unknown = labels.masked_fill(labels == 2, NO_LABEL)
    logits = network(x, torch.tensor([8]))[0][0].log_softmax(-1)
    expected = -(logits[0, 0] + logits[1, 1] + logits[3, 1]) / 3
    assert torch.allclose(frame_loss(network, x, unknown, torch.tensor([8]), 0.0), expected, atol=1e-6)


def test_the_learning_rate_rises_for_a_tenth_and_falls_to_zero() -> None:
    assert [round(one_cycle(at), 3) for at in (0.0, 0.05, 0.1, 0.55, 1.0)] == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_training_finds_the_phones_and_depends_on_its_seed_alone() -> None:
    def learn() -> tuple[FrameNetwork, list[float]]:
        torch.manual_seed(0)
        network = FrameNetwork(2, SETTINGS.channels, 2, SETTINGS.dropout, stride=1)
        return network, [float(loss) for loss in updates(network, batch, SETTINGS, seed=3)]

    def batch(generator: np.random.Generator) -> Batch:
        labels = torch.from_numpy(generator.integers(2, size=(4, 5)).repeat(6, axis=1))
        noise = torch.from_numpy(generator.normal(size=(4, 30, 2)).astype(np.float32))
        return labels[..., None] + 0.3 * noise, labels, torch.full((4,), 30)

    network, losses = learn()
    assert learn()[1] == losses and np.mean(losses[-5:]) < 0.1 < np.mean(losses[:5])
    x, labels, lengths = batch(np.random.default_rng(9))
    assert (network.eval()(x, lengths)[0].argmax(-1) == labels).float().mean() > 0.97
