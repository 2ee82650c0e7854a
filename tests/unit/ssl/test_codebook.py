import json

import numpy as np
import pytest
import torch
from helpers.tones import SIZES, write_corpus
from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

from unscribed.ssl import codebook as module
from unscribed.ssl.codebook import CodebookTable, codebook, codes_of, shares, summary


def test_codes_are_counted_per_language_and_part(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PARTS", 2)
    torch.manual_seed(0)
    sizes = SIZES | {"num_codevectors_per_group": 6, "codevector_dim": 8, "proj_codevector_dim": 8}
    network = Wav2Vec2ForPreTraining(Wav2Vec2Config(**sizes)).eval()
    network.save_pretrained(tmp_path / "model")
    places = [
        write_corpus(tmp_path / name, texts)
        for name, texts in {"x": {"u1": "abca", "u2": "aab", "u3": "bb"}, "y": {"u1": "dcd", "u2": "ddc"}}.items()
    ]
    codebook(
        model=tmp_path / "model",
        manifests=[str(place["manifest"]) for place in places],
        vads=[str(place["vad"]) for place in places],
        languages=["x", "y"],
        sample_rate_hz=16000,
        seed=0,
        threads=1,
        usage=tmp_path / "usage.parquet",
        metrics=tmp_path / "metrics.json",
    )
    table = CodebookTable.read(tmp_path / "usage.parquet")
    frames = table.groupby(["language", "codebook"])["frames"].sum()
    assert frames["x", 0] == frames["x", 1] == 19 + 14 + 9 and frames["y", 0] == 14 + 14  # 20 ms, without padding
    assert len(table) == 2 * 2 * 2 * 6
    wave = np.random.default_rng(0).normal(size=3200).astype(np.float32)
    codes = codes_of(network, wave)
    assert codes.shape == (9, 2)
    scaled = codes_of(network, 5 * wave + 1)  # waveforms are normalised
    assert (scaled == codes).all()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert set(metrics) >= {"perplexity.x.codebook1", "perplexity.y.codebook2", "divergence_bits.x.y"}


def test_perplexity_and_divergence_by_hand():
    counts = np.array([[[4, 4, 0, 0]], [[0, 0, 8, 8]], [[4, 4, 0, 0]]])
    found = summary(shares(counts), ["a", "b", "c"])
    assert found["perplexity.a.codebook1"] == pytest.approx(2.0)
    assert found["divergence_bits.a.b"] == pytest.approx(1.0)
    assert found["divergence_bits.a.c"] == pytest.approx(0.0, abs=1e-6)
