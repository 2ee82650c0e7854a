"""Audio for fine-tuning, in which every letter is a tone, and a small random model."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from transformers import HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from helpers.tables import filled
from unscribed.ctc.model import FinetuneSettings
from unscribed.tables import ManifestTable, PseudoLabelTable, VadTable

RATE = 16000
TONES_HZ = {"a": 250, "b": 500, "c": 1000, "d": 2000, "|": 0}
SIZES = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 96,
    "conv_dim": (16, 16, 16),
    "conv_kernel": (10, 8, 8),
    "conv_stride": (5, 8, 8),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 4,
}

SETTINGS = FinetuneSettings(
    updates=120,
    freeze_updates=10,
    learning_rate=0.003,
    batch_seconds=2.0,
    accumulation=1,
    mask_probability=0.2,
    channel_mask_probability=0.1,
    dropout=0.1,
    layerdrop=0.0,
    min_confidence=0.0,
    check_every=40,
    precision="float32",
    device="cpu",
)


def tone(letters: str, seconds: float = 0.1) -> np.ndarray:
    """Samples of the letters as tones of `seconds` each; the delimiter is silence."""
    time = np.arange(int(RATE * seconds)) / RATE
    return np.concatenate([0.5 * np.sin(2 * np.pi * TONES_HZ[letter] * time) for letter in letters]).astype(np.float32)


def write_corpus(folder: Path, texts: dict[str, str], confidence: float = 1.0) -> dict[str, Path]:
    """Audio, manifest, vad and labels (letters, which are also the phones) of utterances with these texts."""
    folder.mkdir(parents=True, exist_ok=True)
    names, waves = list(texts), {name: tone(text) for name, text in texts.items()}
    for name, samples in waves.items():
        soundfile.write(folder / f"{name}.wav", samples, RATE)
    files = {"utterance": names, "path": [str(folder / f"{name}.wav") for name in names]}
    regions = {"starts_samples": [[0]] * len(names), "ends_samples": [[len(waves[name])] for name in names]}
    labels = {
        "words": [text.replace("|", " ") for text in texts.values()],
        "letters": [list(text) for text in texts.values()],
        "phones": [list(text.replace("|", "")) for text in texts.values()],
        "confidence": [confidence] * len(names),
    }
    paths = {kind: folder / f"{kind}.parquet" for kind in ("labels", "manifest", "vad")}
    PseudoLabelTable(**files, **regions, **labels).write(paths["labels"])
    filled(ManifestTable, **files).write(paths["manifest"])
    filled(VadTable, utterance=names, **regions).write(paths["vad"])
    return paths


def write_checkpoint(folder: Path, hubert: bool = False, **changes: object) -> str:
    """A random encoder with frames of 20 ms."""
    torch.manual_seed(0)
    sizes = SIZES | changes
    model = HubertModel(HubertConfig(**sizes)) if hubert else Wav2Vec2Model(Wav2Vec2Config(**sizes))
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=True).save_pretrained(folder)
    return str(folder)
