"""The words of the toy language as sounds, and a recogniser that has learned them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.toy_language import LEXICON, NETWORK, PHONES, World
from unscribed.artifacts import write_json
from unscribed.audio.features import Extractor, FeatureSettings
from unscribed.audio.vad import VadSettings
from unscribed.frames import FrameWriter
from unscribed.hmm.graph import word_graph
from unscribed.hmm.train import TrainSettings, hmm_train
from unscribed.recogniser.folder import recogniser
from unscribed.recogniser.front_end import FrameSettings
from unscribed.tables import PhoneTable
from unscribed.wfst.nbest import NbestSettings
from unscribed.wfst.search import SearchSettings

RATE, HOP = 16000, 160
PHONE_SECONDS, PAUSE_SECONDS = 0.12, 0.3
HEARD_SECONDS = 0.04  # of a pause, which the VAD leaves beside speech
TONES_HZ = {"a": (700, 1100), "b": (300, 2500), "c": (2000, 3500)}
FEATURES = {"kind": "mfcc", "window_ms": 25.0, "hop_ms": 10.0, "mel_bins": 40, "coefficients": 13}
FEATURES |= {"deltas": True, "mean_norm": "utterance"}


@dataclass(frozen=True)
class Toy:
    """The folder of a recogniser, and of sounds: `say` makes them."""

    folder: Path

    def say(self, words: Sequence[str], seed: int = 0) -> np.ndarray:
        """Samples (N,) of words between pauses."""
        return _say(_phones(words), PAUSE_SECONDS, np.random.default_rng(seed))


def _phones(words: Sequence[str]) -> list[str]:
    return [phone for word in words for phone in LEXICON[word][0].split()]


def _say(phones: Sequence[str], pause_seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Two tones per phone, in noise, with a pause before and after."""
    time = np.arange(round(PHONE_SECONDS * RATE)) / RATE
    pause = np.zeros(round(pause_seconds * RATE))
    waves = [sum(np.sin(2 * np.pi * hertz * time) for hertz in TONES_HZ[phone]) for phone in phones]
    samples = 0.2 * np.concatenate([pause, *waves, pause])
    loud = np.where(samples, 0.02, 1e-4)  # a noise of one level would be sound to the VAD, or make phones too alike
    return (samples + loud * rng.normal(size=len(samples))).astype(np.float32)


def _train(world: World, folder: Path) -> Path:
    """A model of the sounds, from 40 sentences with the times of their phones."""
    extractor, labels = Extractor(FeatureSettings(**FEATURES), RATE), PhoneTable()
    with FrameWriter(folder / "sounds.npy", {"hop_ms": 10.0, "static_dims": 13}) as store:
        for number, (name, words) in enumerate(world.words.items()):
            phones = _phones(words)
            frames = extractor([_say(phones, HEARD_SECONDS, np.random.default_rng(number))])[0]
            store.append(name, frames)
            starts = HEARD_SECONDS + PHONE_SECONDS * np.arange(len(phones) + 1)
            firsts = [0, *(starts * RATE / HOP).round().astype(int).tolist()]
            labels.append(utterance=name, phones=["<SIL>", *phones, "<SIL>"], starts_frames=firsts, frames=len(frames))
    labels.write(folder / "sounds.labels.parquet")
    hmm_train(
        features=folder / "sounds.npy",
        labels=folder / "sounds.labels.parquet",
        phones=world.folder / "phones.txt",
        kind={"features": "frames", "gaussians": 20, "network": False},
        settings=TrainSettings(states=2, iterations=4, realign=1, lda_dims=40, lda_context_ms=20.0, max_memory_mb=500),
        network=NETWORK,
        seed=0,
        threads=1,
        model=folder / "model.safetensors",
    )
    return folder / "model.safetensors"


@pytest.fixture(scope="session")
def toy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A recogniser, as the workflow makes it, in the results of a corpus."""
    assert set(TONES_HZ) == {*PHONES} - {"<SIL>"}
    folder = tmp_path_factory.mktemp("toy")
    words = {"lexiconp": world.folder / "lexiconp.txt", "word_symbols": world.folder / "words.txt"}
    model, graph, weights = _train(world, folder), folder / "graph.safetensors", folder / "weights.json"
    unknown = {"spelling": None, "unknown_probability": 0.1}
    word_graph(model=model, fst=world.folder / "words.fst", silence=world.silence, graph=graph, **words, **unknown)
    write_json(folder / "verdict.json", {"verdict": "learned"})
    write_json(weights, {"lm_weight": 5.0, "insertion_penalty": 0.0, "score": 0.0})
    recogniser(
        model=model,
        graph=graph,
        weights=weights,
        pca=None,
        verdict=folder / "verdict.json",
        checkpoint="",
        corpus={"name": "toy", "language": "toki"},
        sample_rate_hz=RATE,
        vad=VadSettings(method="energy", threshold_db=-40.0, min_silence_ms=200, margin_ms=30),
        features=FrameSettings(**FEATURES, layer=0),
        search=SearchSettings(beam=12.0, max_active=500),
        nbest=NbestSettings(lattice_beam=5.0, nbest=5),
        recogniser=folder / "results/recogniser",
        **words,
    )
    return Toy(folder / "results/recogniser")


@pytest.fixture
def recording(toy: Toy, tmp_path: Path) -> Path:
    """One sentence as a WAV file."""
    path = tmp_path / "one.wav"
    soundfile.write(path, toy.say(["ca", "ba", "kah"]), RATE)
    return path
