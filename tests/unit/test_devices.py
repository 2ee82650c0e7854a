import pytest
import torch

from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_of("cpu", "features.device") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"features\.device is cuda, but this machine has no GPU"):
        device_of("cuda", "features.device")


@pytest.mark.parametrize(
    ("error", "where"),
    [
        (torch.OutOfMemoryError("full"), "GPU"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "machine"),
        (MemoryError(), "machine"),
    ],
)
def test_a_full_memory_names_the_setting_to_lower(error: Exception, where: str) -> None:
    full = pytest.raises(UserError, match=rf"memory of the {where} is full: lower features\.batch_seconds, which is 60")
    with full, out_of_memory("features.batch_seconds", 60.0):
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="other"), out_of_memory("features.batch_seconds", 60.0):
        raise RuntimeError("other")
