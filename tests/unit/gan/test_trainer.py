from dataclasses import replace

import numpy as np
import pytest
import torch

from unscribed.gan.batches import Sequences
from unscribed.gan.discriminator import init_discriminator
from unscribed.gan.generator import Shape, init_generator, init_statistics
from unscribed.gan.trainer import GanTrainer, Rates, TrainingData, Turns

DIMS, PHONES, LABELS = 6, 5, 4
FIRST = Shape(dims=DIMS, phones=PHONES, kernel=4, stride=1, residual=False, targets=0)
SECOND = Shape(dims=DIMS, phones=PHONES, kernel=9, stride=3, residual=True, targets=LABELS)
CPU = torch.device("cpu")
# Weights of the losses and learning rates of the runs with seeds 0, 1 and 2
PENALTIES = {
    "gradient_penalty": [1.5, 0.5, 2.0],
    "smoothness": [0.5, 1.5, 0.0],
    "diversity": [4.0, 0.0, 2.0],
    "auxiliary": [0.5, 0.3, 1.0],
    "generator_rate": [4e-3, 1e-3, 2e-3],
    "discriminator_rate": [5e-3, 2e-3, 3e-3],
}


def _sequences(kind: str, lengths: list[int]) -> Sequences:
    """Random features, their pseudo-labels (which follow from them), or text."""
    rng, total = np.random.default_rng(len(kind)), sum(lengths)
    features = np.random.default_rng(0).normal(size=(total, DIMS)).astype(np.float32)
    data = {
        "features": features,
        "labels": (features[:, 0] > 0) * 2 + (features[:, 1] > 0).astype(np.int64),
        "text": rng.integers(PHONES, size=total),
    }
    return Sequences(data[kind], np.cumsum([0, *lengths]), CPU)


AUDIO = [1 + number % 14 for number in range(60)]
TEXT = [1 + number % 9 for number in range(50)]


def _trainer(
    runs: list[int],
    shape: Shape = FIRST,
    audio: list[int] = AUDIO,
    text: list[int] = TEXT,
    discriminator_first: int = 0,
    **changes: float,
) -> GanTrainer:
    """A trainer of the runs with these seeds; `changes` replace weights and rates of every run."""
    generators = [torch.Generator().manual_seed(100 + run) for run in runs]
    scale = 30.0 if shape.residual else 0.0
    values = {name: torch.tensor([changes.get(name, each[run]) for run in runs]) for name, each in PENALTIES.items()}
    rates = Rates(values.pop("generator_rate"), values.pop("discriminator_rate"))
    if not shape.targets:
        del values["auxiliary"]
    return GanTrainer(
        TrainingData(
            audio=_sequences("features", audio),
            text=_sequences("text", text),
            targets=_sequences("labels", audio) if shape.targets else None,
        ),
        shape,
        state={
            "generator": init_generator(shape, scale, generators),
            "discriminator": init_discriminator(PHONES, 7, 6, generators),
            "statistics": init_statistics(shape, len(runs)),
        },
        penalties=values,
        rates=rates,
        seeds=runs,
        turns=Turns(batch_size=8, dropout=0.1, discriminator_first=discriminator_first, average=0.9),
    )


def _weights(trainer: GanTrainer) -> dict[str, dict[str, torch.Tensor]]:
    parts = {part: getattr(trainer, part) for part in ("generator", "discriminator", "statistics")}
    return {part: {name: value.clone() for name, value in weights.items()} for part, weights in parts.items()}


@pytest.mark.parametrize("shape", [FIRST, SECOND], ids=["version 1", "version 2"])
def test_a_run_trains_alone_as_it_does_beside_others(shape: Shape) -> None:
    together = _trainer([0, 1, 2], shape)
    losses = [together.update(number) for number in range(6)]
    for run in range(3):
        alone = _trainer([run], shape)
        start = _weights(alone)
        for number, expected in enumerate(losses):
            found = alone.update(number)
            assert found.keys() == expected.keys()
            for name, value in found.items():
                torch.testing.assert_close(value, expected[name][run : run + 1], rtol=1e-3, atol=1e-5, msg=name)
        for part, weights in _weights(alone).items():
            for name, value in weights.items():
                row = getattr(together, part)[name][run : run + 1]
                torch.testing.assert_close(value, row, rtol=1e-3, atol=1e-5, msg=name)
                assert shape.residual or part == "statistics" or not torch.equal(value, start[part][name])


def test_a_run_that_breaks_harms_only_itself() -> None:
    whole, broken = _trainer([0, 1]), _trainer([0, 1])
    broken.generator["conv"][0] = torch.nan
    for number in range(4):
        expected, found = whole.update(number), broken.update(number)
    assert found["generator"][0].isnan()
    for name, value in found.items():
        torch.testing.assert_close(value[1], expected[name][1], rtol=1e-4, atol=1e-6, msg=name)
    torch.testing.assert_close(broken.generator["conv"][1], whole.generator["conv"][1], rtol=1e-4, atol=1e-6)


def test_turns_alternate() -> None:
    trainer = _trainer([0, 1], SECOND)
    for number in range(4):
        before = _weights(trainer)
        losses = trainer.update(number)
        changed = {
            part: {name for name, value in weights.items() if not torch.equal(value, before[part][name])}
            for part, weights in _weights(trainer).items()
        }
        assert changed["statistics"] == {"mean", "variance"}
        if number % 2:
            assert set(losses) == {"generator", "smoothness", "diversity", "auxiliary", "generator_norm"}
            assert not changed["discriminator"]
            assert changed["generator"] == set(trainer.generator)
        else:
            names = {"discriminator_fake", "discriminator_real", "gradient_penalty", "discriminator_norm"}
            assert set(losses) == names
            assert not changed["generator"]
            assert changed["discriminator"] == set(trainer.discriminator)
        assert all(value.shape == (2,) and not value.requires_grad for value in losses.values())


def test_the_discriminator_may_begin_alone() -> None:
    trainer = _trainer([0], discriminator_first=3)
    assert ["generator" in trainer.update(number) for number in range(7)] == [False] * 4 + [True, False, True]


@pytest.mark.parametrize("shape", [FIRST, SECOND], ids=["version 1", "version 2"])
def test_training_resumes_exactly(shape: Shape) -> None:
    whole, second = _trainer([0, 1], shape), _trainer([0, 1], shape)
    for number in range(5):
        whole.update(number)
    for number in range(100, 103):  # something that loading has to replace
        second.update(number)
    saved = {group: {name: value.clone() for name, value in part.items()} for group, part in whole.state().items()}
    second.load(saved)
    for number in range(5, 9):
        expected, found = whole.update(number), second.update(number)
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    for group, part in whole.state().items():
        assert all(torch.equal(second.state()[group][name], value) for name, value in part.items())


def test_runs_that_are_kept_go_on_as_they_would_have() -> None:
    whole, fewer = _trainer([0, 1, 2], SECOND), _trainer([0, 1, 2], SECOND)
    for number in range(8):
        if number == 3:
            fewer.keep([2, 0])
        expected, found = whole.update(number), fewer.update(number)
        for name, value in found.items():
            wanted = expected[name][[2, 0]] if number >= 3 else expected[name]
            torch.testing.assert_close(value, wanted, rtol=1e-3, atol=1e-5, msg=name)
    assert fewer.seeds == [2, 0]


@pytest.mark.parametrize(
    ("name", "turn", "parts"),
    [
        ("gradient_penalty", 0, ["discriminator_fake", "discriminator_real"]),
        ("smoothness", 1, ["generator"]),
        ("diversity", 1, ["generator"]),
        ("auxiliary", 1, ["generator"]),
    ],
)
def test_a_penalty_has_the_weight_of_its_run(name: str, turn: int, parts: list[str]) -> None:
    """A larger weight for run 1 changes the gradient of run 1 alone, in the turn of the penalty's side."""
    first, second = _trainer([0, 1], SECOND), _trainer([0, 1], SECOND)
    second.penalties[name][1] += 3
    for number in range(2):
        expected, found = first.update(number), second.update(number)
        norm = f"{'generator' if number else 'discriminator'}_norm"
        assert expected[norm][0] == found[norm][0]
        if number == turn:
            assert expected[norm][1] != found[norm][1]
            assert all(torch.equal(expected[part], found[part]) for part in [*parts, name])
            break
        assert expected[norm][1] == found[norm][1]


def test_smoothness_is_that_of_the_joined_logits() -> None:
    """Segments with the same predicted phone become one position, which has no neighbour to differ from."""
    trainer = _trainer([0, 1])
    trainer.turns = replace(trainer.turns, dropout=0.0)
    trainer.data.audio.data[:, 0] = 10.0
    trainer.generator["conv"][0, 1, 0, 0] = 100.0  # the present's tap, in run 0 only
    losses = trainer.update(1)
    assert losses["smoothness"][0] == 0 < losses["smoothness"][1]
    assert losses["diversity"][0].item() == pytest.approx((PHONES - 1) / PHONES)


@pytest.mark.parametrize("shape", [FIRST, SECOND], ids=["version 1", "version 2"])
@pytest.mark.parametrize(
    ("audio", "text"),
    [([1, 2, 3], [1, 2]), ([1, 1], [5, 6]), ([9, 12], [1, 1]), ([1, 1], [1])],
    ids=["few segments", "one segment", "one phone", "one of each"],
)
def test_shorter_than_the_kernels(shape: Shape, audio: list[int], text: list[int]) -> None:
    trainer = _trainer([0, 1], shape, audio, text)
    for number in range(4):
        assert all(value.isfinite().all() for value in trainer.update(number).values())
    for weights in _weights(trainer).values():
        assert all(value.isfinite().all() for value in weights.values())


def test_each_side_learns_against_the_other() -> None:
    """First the discriminator learns with a fixed generator, then the generator with the fixed discriminator."""
    rates = {"generator_rate": 2e-2, "discriminator_rate": 1e-2}
    trainer = _trainer([0, 1], gradient_penalty=0.0, smoothness=0.0, diversity=0.0, **rates)
    losses = [trainer.update(2 * number) for number in range(60)]
    told = torch.stack([one["discriminator_fake"] + one["discriminator_real"] for one in losses])
    assert (told[-10:].mean(0) < 0.9 * told[:3].mean(0)).all()
    passed = torch.stack([trainer.update(2 * number + 1)["generator"] for number in range(60)])
    assert (passed[-10:].mean(0) < 0.8 * passed[:3].mean(0)).all()


def test_the_auxiliary_loss_falls() -> None:
    small = {"smoothness": 0.0, "diversity": 0.0, "gradient_penalty": 0.1}
    trainer = _trainer([0, 1], SECOND, auxiliary=100.0, generator_rate=2e-2, **small)
    losses = [trainer.update(number) for number in range(120)]
    found = torch.stack([one["auxiliary"] for one in losses if "auxiliary" in one])
    assert (found[-10:].mean(0) < 0.5 * found[:3].mean(0)).all()
