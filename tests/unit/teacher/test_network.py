from pathlib import Path

import pytest
import torch

from unscribed.acoustic.network import FrameNetwork
from unscribed.errors import UserError
from unscribed.teacher.network import STRIDE, Teacher


def test_a_written_teacher_is_the_same_when_read(tmp_path: Path) -> None:
    one = FrameNetwork(inputs=6, channels=8, phones=4, dropout=0.1, stride=STRIDE).eval()
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
