import pytest
import torch
from safetensors.torch import save_file

from unscribed.training_state import adam_tensors, fingerprint, load_state, restore_adam, save_state


def test_states_come_back_only_for_their_own_mark(tmp_path, caplog):
    path = tmp_path / "folder/state.safetensors"
    mark = fingerprint({"rate": 0.1}, ["a"])
    assert load_state(path, mark) is None
    save_state(path, {"a.b": torch.arange(3)[::2]}, mark, {"done": 3, "rows": [{"loss": 0.5}]})
    tensors, progress = load_state(path, fingerprint({"rate": 0.1}, ["a"]))
    assert tensors["a.b"].tolist() == [0, 2] and progress == {"done": 3, "rows": [{"loss": 0.5}]}
    with caplog.at_level("INFO"):
        assert load_state(path, fingerprint({"rate": 0.2}, ["a"])) is None
    assert "belongs to other settings" in caplog.text


@pytest.mark.parametrize("damage", ["cut off", "foreign"])
def test_damaged_states_are_named_and_not_taken(tmp_path, caplog, damage):
    path = tmp_path / "state.safetensors"
    save_state(path, {"a": torch.zeros(100)}, "mark", {})
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        save_file({"a": torch.zeros(1)}, path)  # no metadata
    assert load_state(path, "mark") is None
    assert f"{path} is damaged" in caplog.text


def test_adam_goes_on_as_if_nothing_had_happened():
    def steps(weight, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (weight**3).sum().backward()
            optimizer.step()

    whole = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.Adam([whole])
    steps(whole, optimizer, 3)
    tensors = {name: value.clone() for name, value in adam_tensors(optimizer, {"w": whole}).items()}
    assert set(tensors) == {"step.w", "exp_avg.w", "exp_avg_sq.w"}
    again = whole.detach().clone().requires_grad_()
    fresh = torch.optim.Adam([again])
    assert adam_tensors(fresh, {"w": again}) == {}
    restore_adam(fresh, {"w": again}, tensors)
    steps(whole, optimizer, 2)
    steps(again, fresh, 2)
    assert torch.equal(whole, again)
