import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from helpers.tables import filled
from transformers import Wav2Vec2Config, Wav2Vec2Model

from unscribed.config.feature_kinds import LEARNED
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.ssl import encode
from unscribed.ssl import extract as module
from unscribed.ssl.checkpoint import load
from unscribed.ssl.extract import LearnedSettings, learned_features
from unscribed.ssl.parts import join_shards
from unscribed.ssl.waveform import normalized
from unscribed.tables import ManifestTable, VadTable

RATE = 16000
SETTINGS = LearnedSettings(kind="wav2vec", layer=2, batch_seconds=0.1, device="cpu", shards=1)
LENGTHS = [800, 400, 1200, 403, 790, 1600, 555, 2000, 640, 810]  # blocks of 0.1 s: of 3, 2, 1, 2, 1 and 1 utterances


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten utterances whose first 10 samples are silence, and a small model with a hop of 10 samples."""
    monkeypatch.setattr(module, "BLOCK_SECONDS", 0.1)
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2Model(config).save_pretrained(tmp_path / "model")
    rng = np.random.default_rng(0)
    names = [f"u{number}" for number in range(len(LENGTHS))]
    for name, length in zip(names, LENGTHS, strict=True):
        soundfile.write(tmp_path / f"{name}.wav", rng.normal(size=length + 10) / 10, RATE, subtype="FLOAT")
    paths = [str(tmp_path / f"{name}.wav") for name in names]
    filled(ManifestTable, utterance=names, path=paths).write(tmp_path / "manifest.parquet")
    _regions(tmp_path, names, LENGTHS)
    return tmp_path


def _regions(folder: Path, names: list[str], lengths: list[int]) -> None:
    ends = [[10 + length] for length in lengths]
    regions = filled(VadTable, utterance=names, starts_samples=[[10]] * len(names), ends_samples=ends)
    regions.write(folder / "vad.parquet")


def _run(folder: Path, name: str = "train", settings: LearnedSettings = SETTINGS, shard: str = "0", **more) -> Path:
    target = folder / f"{name}.npy"
    arguments = {"checkpoint": str(folder / "model"), "hop_ms": 0.625, "threads": 1, **more}
    learned_features(
        manifest=folder / "manifest.parquet",
        vad=folder / "vad.parquet",
        settings=settings,
        encoder=LEARNED[settings.kind].encoder,
        sample_rate_hz=RATE,
        shard=shard,
        features=target,
        **arguments,
    )
    return target


def _same(one: Path, other: Path) -> None:
    first, second = FrameStore(one), FrameStore(other)
    assert first.utterances == second.utterances and first.offsets.tolist() == second.offsets.tolist()
    np.testing.assert_array_equal(first.data, second.data)


def test_frames_are_those_of_the_model(corpus: Path) -> None:
    store = FrameStore(_run(corpus))
    assert store.metadata == {
        **{"kind": "wav2vec", "dims": 16, "static_dims": 16, "hop_ms": 0.625, "sample_rate_hz": RATE},
        **{"checkpoint": str(corpus / "model"), "layer": 2},
    }
    assert store.data.dtype == np.float16 and store.utterances == [f"u{number}" for number in range(10)]
    model = load(str(corpus / "model"), RATE).model
    for number, (utterance, frames) in enumerate(store):
        wave, _ = soundfile.read(corpus / f"{utterance}.wav", dtype="float32")
        assert len(frames) == (LENGTHS[number] - 20) // 10 + 1
        with torch.no_grad():
            states = model(torch.from_numpy(normalized(wave[10:]))[None], output_hidden_states=True).hidden_states[2]
        np.testing.assert_allclose(frames, states[0].numpy(), rtol=2e-3, atol=2e-3)
    assert sorted(path.name for path in corpus.iterdir() if path.name.startswith((".", "train"))) == [
        "train.npy",
        "train.parquet",
    ]


def test_a_killed_job_goes_on(corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    whole = _run(corpus, "whole")
    calls: list[int] = []
    plain = encode.hidden_states

    def interrupted(checkpoint, waves, lengths, layer):
        calls.append(len(waves))
        if sum(calls) > 5:
            raise KeyboardInterrupt
        return plain(checkpoint, waves, lengths, layer)

    monkeypatch.setattr(encode, "hidden_states", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run(corpus)
    folder = corpus / ".train.npy.parts"
    assert sorted(path.name for path in folder.glob("*.npy")) == ["000000.npy", "000001.npy"]
    assert not (corpus / "train.npy").exists()
    (folder / "000001.npy").write_bytes(b"cut off")  # as if the machine had gone down
    calls.clear()
    monkeypatch.setattr(encode, "hidden_states", lambda *given: calls.append(len(given[1])) or plain(*given))
    _same(_run(corpus, settings=replace(SETTINGS, batch_seconds=0.2)), whole)
    assert sum(calls) == 7 and "1 of 6 blocks are finished already" in caplog.text
    assert not folder.exists()


def test_other_settings_begin_anew(corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module.Parts, "join", lambda *_: None)  # as if killed just before the end
    _run(corpus)
    monkeypatch.undo()
    monkeypatch.setattr(module, "BLOCK_SECONDS", 0.1)
    other = _run(corpus, settings=replace(SETTINGS, layer=1))
    assert "belongs to other settings, audio or weights: deleted" in caplog.text
    _same(other, _run(corpus, "other", settings=replace(SETTINGS, layer=1)))


@pytest.mark.parametrize("count", [2, 7])
def test_shards_joined(corpus: Path, count: int) -> None:
    whole = _run(corpus, "whole")
    settings = replace(SETTINGS, shards=count)
    shards = [str(_run(corpus, f"shard{shard}", settings, str(shard))) for shard in range(count)]
    assert sum(len(FrameStore(path)) for path in shards) == 10
    join_shards(manifest=corpus / "manifest.parquet", shards=shards, features=corpus / "joined.npy")
    _same(corpus / "joined.npy", whole)
    assert FrameStore(corpus / "joined.npy").metadata == FrameStore(whole).metadata
    with pytest.raises(UserError, match=r"utterance u\d is in no shard .*shard1.npy and .*: delete these files"):
        join_shards(manifest=corpus / "manifest.parquet", shards=shards[1:], features=corpus / "joined.npy")


def test_batches_are_no_longer_than_asked() -> None:
    lengths = np.array([5, 9, 3, 20, 4, 10])
    found = [batch.tolist() for batch in module.batches_by_length(np.arange(1, 6), lengths, 10)]
    assert found == [[3], [5], [1], [4, 2]]


def test_audio_of_no_frame_and_frames_of_another_pace(corpus: Path) -> None:
    names = ManifestTable.read(corpus / "manifest.parquet")["utterance"].tolist()
    with pytest.raises(UserError, match=r"gives a frame every 0.625 ms, not every 20 ms"):
        _run(corpus, hop_ms=20.0)
    _regions(corpus, names, [*LENGTHS[:4], 16, *LENGTHS[5:]])
    with pytest.raises(UserError, match=r"u4.wav has 1 ms of speech, less than the 1.25 ms .* raise audio.min_seconds"):
        _run(corpus)


def test_what_the_configuration_asks_for_and_is_not_there(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"features.layer: 9 is more than the 3 blocks"):
        _run(corpus, settings=replace(SETTINGS, layer=9))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"features.device is cuda, but this machine has no GPU"):
        _run(corpus, settings=replace(SETTINGS, device="cuda"))


def test_a_full_memory(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(encode, "hidden_states", full)
    with pytest.raises(UserError, match=r"memory of the GPU is full: lower features.batch_seconds, which is 0.1"):
        _run(corpus)


@pytest.mark.parametrize("value", [1e5, float("nan")])
def test_values_that_the_store_does_not_hold(corpus: Path, monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    plain = encode.hidden_states

    def wide(*given):
        states, frames = plain(*given)
        return torch.full_like(states, value), frames

    monkeypatch.setattr(encode, "hidden_states", wide)
    with pytest.raises(
        UserError, match=r"u\d.wav: layer 2 of .*model gives values .* 65504, .* another features.layer"
    ):
        _run(corpus)
