from pathlib import Path

import pytest
import torch

from unscribed.acoustic.network import FrameNetwork
from unscribed.errors import UserError
from unscribed.teacher.network import Teacher, stride_of


def test_a_written_teacher_is_the_same_when_read(tmp_path: Path) -> None:
    one = FrameNetwork(inputs=6, channels=8, phones=4, dropout=0.1, stride=2).eval()
    teacher = Teacher(one, ["<SIL>", "a", "b", "t"], torch.tensor([0.25] * 4).log(), 16000)
    teacher.write(tmp_path / "model.safetensors")
    again = Teacher.read(tmp_path / "model.safetensors", torch.device("cpu"))
    x, lengths = torch.randn(2, 12, 6), torch.tensor([12, 12])
    assert again.phones == teacher.phones and again.sample_rate_hz == 16000
    assert torch.equal(again.log_prior, teacher.log_prior)
    assert torch.equal(again.network(x, lengths)[0], one(x, lengths)[0])
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"model\.safetensors"):
        Teacher.read(tmp_path / "model.safetensors", torch.device("cpu"))


def test_an_output_is_20_ms_of_frames() -> None:
    assert [stride_of(hop) for hop in (5.0, 10.0, 20.0, 40.0)] == [4, 2, 1, 1]


def test_of_hidden_states_mean_and_deviation_alone_are_removed() -> None:
    network = FrameNetwork(inputs=3, channels=4, phones=2, dropout=0.0, stride=1).eval()
    teacher = Teacher(network, ["<SIL>", "a"], torch.zeros(2), 16000, states=True)
    x, lengths = torch.randn(1, 50, 3), torch.tensor([50])
    assert torch.allclose(teacher.view(x, lengths), teacher.view(100 * x + 7, lengths), atol=0.6)
    assert torch.allclose(teacher.view(100 * x, lengths).std((0, 1)), torch.ones(3), atol=0.05)
