import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from helpers.tones import RATE, SETTINGS, tone, write_checkpoint, write_corpus
from transformers import AutoModelForCTC, Wav2Vec2Processor

from unscribed.ctc import finetune_trainer
from unscribed.ctc.finetune import FinetuneCurveTable, finetune
from unscribed.ctc.finetune_data import epochs, joined_labels, pack
from unscribed.ctc.finetune_trainer import FinetuneTrainer, rate_at
from unscribed.ctc.labels import finetune_vocab
from unscribed.ctc.model import (
    build,
    cnn_features,
    collapsed,
    draw_masks,
    logits,
    needed_frames,
)
from unscribed.errors import UserError
from unscribed.ssl.checkpoint import load
from unscribed.ssl.waveform import Speech
from unscribed.tables import PseudoLabelTable

TEXTS = {"u1": "abc|da", "u2": "bd|ca", "u3": "ccb|ad", "u4": "dab|bc"}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_checkpoint(tmp_path_factory.mktemp("tones") / "checkpoint")


@pytest.fixture
def task(tmp_path: Path, checkpoint: str) -> dict[str, Any]:
    """The arguments of the stage for four utterances, which are also the split valid."""
    paths = write_corpus(tmp_path / "audio", TEXTS)
    finetune_vocab(train_labels=[paths["labels"]], phones=[], units="letters", vocab=tmp_path / "vocab.json")
    about = {"units": "letters", "sample_rate_hz": RATE, "seed": 0, "threads": 1, "settings": SETTINGS}
    outputs = {"model": tmp_path / "made/model", "curves": tmp_path / "made/curves.parquet"}
    return {
        "checkpoint": checkpoint,
        **as_training(paths),
        **{name.replace("train", "valid"): files for name, files in as_training(paths).items() if "train" in name},
        **{f"valid_{name}": files for name, files in as_training(paths).items() if "train" not in name},
        "vocab": tmp_path / "vocab.json",
        **about,
        **outputs,
    }


def as_training(*languages: dict[str, Path]) -> dict[str, list[Path]]:
    names = {"train_labels": "labels", "manifests": "manifest", "vads": "vad"}
    return {name: [paths[kind] for paths in languages] for name, kind in names.items()}


def weights(task: dict[str, Any]) -> dict[str, torch.Tensor]:
    return AutoModelForCTC.from_pretrained(task["model"]).state_dict()


def test_learns_four_utterances_and_transformers_reads_the_same(
    task: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    # a masked span would hide whole letters of so short utterances
    task["settings"] = replace(SETTINGS, updates=200, learning_rate=0.01, mask_probability=0.0, dropout=0.0)
    task["settings"] = replace(task["settings"], channel_mask_probability=0.0, check_every=50)
    with caplog.at_level(logging.INFO):
        finetune(**task)
    curves = FinetuneCurveTable.read(task["curves"])
    assert curves["update"].tolist() == [50, 100, 150, 200]
    assert curves["uer"].min() == 0 and curves["loss"].iloc[-1] < curves["loss"].iloc[0]
    assert "4 utterances; left out: 0 below finetune.min_confidence" in caplog.text
    assert not task["curves"].with_name("state.safetensors").exists()
    files = {path.name for path in task["model"].iterdir()}
    assert {"config.json", "model.safetensors", "vocab.json"} <= files
    assert {"tokenizer_config.json", "preprocessor_config.json"} <= files
    model, processor = AutoModelForCTC.from_pretrained(task["model"]), Wav2Vec2Processor.from_pretrained(task["model"])
    for name, text in TEXTS.items():
        samples, _ = soundfile.read(task["train_labels"][0].with_name(f"{name}.wav"), dtype="float32")
        inputs = processor(samples, sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad():
            path = model(**inputs).logits.argmax(dim=-1)
        assert processor.batch_decode(path) == [text.replace("|", " ")]


def test_cnn_never_changes_and_transformer_only_after_its_freeze(task: dict[str, Any], checkpoint: str) -> None:
    start = load(checkpoint, RATE).model.state_dict()
    short = replace(SETTINGS, updates=3, check_every=3, freeze_updates=3)
    finetune(**(task | {"settings": short}))
    frozen = weights(task)
    same = {name for name, value in start.items() if torch.equal(value, frozen[f"wav2vec2.{name}"])}
    assert same == start.keys()
    initial = build(load(checkpoint, RATE), 7, short, 0).lm_head.weight
    assert not torch.equal(frozen["lm_head.weight"], initial)
    finetune(**(task | {"settings": replace(short, freeze_updates=2)}))
    learned = weights(task)
    same = {name for name, value in start.items() if torch.equal(value, learned[f"wav2vec2.{name}"])}
    assert {name for name in start if name.startswith("feature_extractor.")} <= same
    assert not any(name.startswith("encoder.layers.") and name.endswith("weight") for name in same)


def test_schedule_by_hand() -> None:
    found = [rate_at(update, 100) for update in (0, 5, 10, 49, 50, 75)]
    assert found == pytest.approx([0.01, 0.505, 1.0, 1.0, 1.0, 0.05**0.5])
    assert rate_at(100, 100) == pytest.approx(0.05)


def test_a_killed_training_goes_on_exactly(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # two batches per update of one utterance or two: the place within an epoch must be found again
    task["settings"] = replace(SETTINGS, updates=12, check_every=4, freeze_updates=5, accumulation=2, batch_seconds=1.3)
    task["settings"] = replace(task["settings"], layerdrop=0.3)
    finetune(**task)
    whole, curves = weights(task), FinetuneCurveTable.read(task["curves"])
    inner = FinetuneTrainer._update

    def killed(job: FinetuneTrainer, number: int, *rest: Any) -> tuple[float, float]:
        if number == 10:
            raise KeyboardInterrupt
        return inner(job, number, *rest)

    monkeypatch.setattr(FinetuneTrainer, "_update", killed)
    with pytest.raises(KeyboardInterrupt):
        finetune(**task)
    monkeypatch.setattr(FinetuneTrainer, "_update", inner)
    with caplog.at_level(logging.INFO):
        finetune(**task)
    assert "resumed after update 8" in caplog.text
    assert FinetuneCurveTable.read(task["curves"]).drop(columns="seconds").equals(curves.drop(columns="seconds"))
    resumed = weights(task)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_truncated_state_or_one_of_other_labels_is_not_gone_on_from(
    task: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    task["settings"] = replace(SETTINGS, updates=2, check_every=1)
    state = task["curves"].with_name("state.safetensors")
    state.parent.mkdir()
    state.write_bytes(b"\x10\0\0\0\0\0\0\0{half")
    with caplog.at_level(logging.INFO):
        finetune(**task)
    assert "state.safetensors is damaged" in caplog.text and "training starts from the beginning" in caplog.text
    network = build(load(task["checkpoint"], RATE), 7, SETTINGS, 0)
    audio = type("Audio", (), {"names": ["a"], "targets": [np.array([3])]})()
    job = FinetuneTrainer(network, audio, audio, SETTINGS, 0, [])
    job.best = {name: weight.detach().clone() for name, weight in job.weights.items()}
    job._save(state)
    assert job.resume(state)
    assert not FinetuneTrainer(network, audio, audio, SETTINGS, 1, []).resume(state)


def test_a_lost_loss_stops_and_the_state_stays(task: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    task["settings"] = replace(SETTINGS, updates=6, check_every=2)
    loss = finetune_trainer.ctc_loss
    monkeypatch.setattr(finetune_trainer, "ctc_loss", lambda *given: loss(*given) * float("nan"))
    with pytest.raises(UserError, match=r"is nan at update 1, .*no earlier state\. Lower finetune\.learning_rate"):
        finetune(**task)
    count = iter(range(100))

    def late(*given: Any) -> torch.Tensor:  # an update has one batch, a check another
        return loss(*given) * (float("nan") if next(count) == 5 else 1.0)

    monkeypatch.setattr(finetune_trainer, "ctc_loss", late)
    with pytest.raises(UserError, match=r"state is in .*state\.safetensors\. Lower .* which is 0\.003"):
        finetune(**task)
    monkeypatch.setattr(finetune_trainer, "ctc_loss", loss)
    finetune(**(task | {"settings": replace(task["settings"], learning_rate=0.001)}))
    rates = FinetuneCurveTable.read(task["curves"])["learning_rate"].tolist()
    assert len(rates) == 3 and max(rates[:2]) > 0.001 > rates[2]


def test_what_cannot_be_learned_from_is_counted(
    task: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task["settings"] = replace(SETTINGS, updates=1, min_confidence=0.5)
    paths = write_corpus(tmp_path / "other", {**TEXTS, "long": "ab"})
    table = PseudoLabelTable.read(paths["labels"])
    table.loc[4, "letters"] = list("abbabbabbabb")  # 12 letters and 4 blanks, in 0.2 s and 9 frames
    table.loc[0, "confidence"] = 0.4
    PseudoLabelTable.from_frame(table).write(paths["labels"])
    with caplog.at_level(logging.INFO):
        finetune(**(task | as_training(paths)))
    assert "3 utterances; left out: 1 below finetune.min_confidence, 0 with unknown symbols, 1 longer" in caplog.text
    assert needed_frames(np.array([3, 4, 4, 3])) == 5
    PseudoLabelTable.from_frame(table.assign(confidence=0.1)).write(paths["labels"])
    with pytest.raises(UserError, match=r"none of its 5 utterances .* Lower finetune\.min_confidence"):
        finetune(**(task | as_training(paths)))
    PseudoLabelTable.from_frame(table.assign(utterance=list("vwxyz"))).write(paths["labels"])
    with pytest.raises(UserError, match=r"has 5 utterances that the manifest lacks, for example v"):
        finetune(**(task | as_training(paths)))


def test_languages_share_one_model_and_one_vocabulary(
    task: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = {kind: tmp_path / f"audio/{kind}.parquet" for kind in ("labels", "manifest", "vad")}
    # the same names of utterances, other letters
    second = write_corpus(tmp_path / "second", {name: text.replace("a", "d") for name, text in TEXTS.items()})
    vocab = tmp_path / "joint.json"
    finetune_vocab(train_labels=[first["labels"], second["labels"]], phones=[], units="letters", vocab=vocab)
    assert {"a", "d"} <= json.loads(vocab.read_text()).keys()
    short = replace(SETTINGS, updates=2, check_every=2)
    with caplog.at_level(logging.INFO):
        finetune(**(task | as_training(first, second) | {"vocab": vocab, "settings": short}))
    assert "8 utterances; left out: 0" in caplog.text and "0 with unknown symbols" in caplog.text
    examples = joined_labels([first["labels"], second["labels"]])
    speech = Speech.joined([Speech(paths["manifest"], paths["vad"], RATE) for paths in (first, second)])
    assert sorted(examples["utterance"]) == sorted(speech.utterances) and len(set(speech.utterances)) == 8
    name = f"1/{next(iter(TEXTS))}"
    np.testing.assert_allclose(speech[speech.numbers[name]], tone(TEXTS[name[2:]].replace("a", "d")), atol=1e-3)


def test_batches_fill_the_room_and_epochs_hold_everything() -> None:
    frames = np.array([4, 2, 9, 3, 2])
    packed = pack(np.argsort(frames, kind="stable"), frames, 9.0)
    assert [batch.tolist() for batch in packed] == [[1, 4, 3], [0], [2]]
    stream = epochs(frames, 9.0, 3)
    seen: list[int] = []
    while len(seen) < 15:
        seen += next(stream).tolist()
    assert all(sorted(seen[place : place + 5]) == [0, 1, 2, 3, 4] for place in (0, 5, 10))


@pytest.mark.parametrize("hubert", [False, True])
def test_padding_changes_nothing_with_group_norm(tmp_path: Path, hubert: bool) -> None:
    model = build(load(write_checkpoint(tmp_path, hubert), RATE), 5, SETTINGS, 0).eval()
    long, short = (cnn_features(model, tone(text)) for text in ("abcdabcd", "abc"))
    frames = torch.tensor([len(long), len(short)])
    with torch.no_grad():
        both = logits(model, torch.nn.utils.rnn.pad_sequence([long, short], batch_first=True), frames)
        alone = logits(model, short[None], frames[1:])
    assert torch.allclose(both[1, : len(short)], alone[0], atol=1e-5)


def test_masks(checkpoint: str) -> None:
    model = build(load(checkpoint, RATE), 5, replace(SETTINGS, mask_probability=0.65), 0)
    masks = draw_masks(np.array([40, 8]), model, np.random.default_rng(0))
    assert masks.time.shape == (2, 40) and 10 <= masks.time[0].sum() < 40 and not masks.time[1].any()
    assert model.config.mask_feature_length == 4 and set(masks.channels.sum(dim=1).tolist()) <= {4, 5, 6, 7, 8}
    none = build(load(checkpoint, RATE), 5, replace(SETTINGS, mask_probability=0.0, channel_mask_probability=0.0), 0)
    masks = draw_masks(np.array([40, 8]), none, np.random.default_rng(0))
    assert not masks.time.any() and not masks.channels.any()


def test_collapse_by_hand() -> None:
    assert collapsed(np.array([0, 3, 3, 0, 3, 4, 4, 0])).tolist() == [3, 3, 4]
    assert collapsed(np.array([], dtype=int)).tolist() == []


def test_phones_and_a_missing_gpu(task: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "phones.txt").write_text("<SIL>\na\nb\nc\nd\n")
    finetune_vocab(train_labels=[], phones=[tmp_path / "phones.txt"], units="phones", vocab=task["vocab"])
    finetune(**(task | {"units": "phones", "settings": replace(SETTINGS, updates=1)}))
    assert json.loads((task["model"] / "vocab.json").read_text())["d"] == 4
    assert not (task["model"] / "tokenizer_config.json").exists()
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match=r"finetune\.device is cuda"):
            finetune(**(task | {"settings": replace(SETTINGS, device="cuda")}))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_keeps_whole_weights(task: dict[str, Any], precision: str) -> None:
    task["settings"] = replace(SETTINGS, updates=4, check_every=2, freeze_updates=1, precision=precision)
    finetune(**task)
    curves = FinetuneCurveTable.read(task["curves"])
    assert np.isfinite(curves[["loss", "valid_loss"]]).all(axis=None)
    assert all(value.dtype == torch.float32 for value in weights(task).values())
