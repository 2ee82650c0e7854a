"""A language of three phones and five words, spoken by Gaussians: text, lexicon, language models, audio and labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.artifacts import write_lines
from unscribed.frames import FrameWriter
from unscribed.hmm.train import TrainSettings, hmm_train
from unscribed.tables import PhoneTable, SentenceTable
from unscribed.text.ngram import symbol_table, write_symbols
from unscribed.text.phone_lm import phone_lm
from unscribed.text.silence import SilenceSettings, insert_silence
from unscribed.text.word_lm import WordLmSettings, word_lm

PHONES = ["<SIL>", "a", "b", "c"]
# abc begins with ab; ca and kah are homophones; ba has two pronunciations.
LEXICON = {"ab": ["a b"], "abc": ["a b c"], "ba": ["b a", "b c a"], "ca": ["c a"], "kah": ["c a"]}
SILENCE = SilenceSettings(probability=0.3, surround=True)
UTTERANCES = 40
NETWORK = NetworkSettings(
    channels=16,
    dropout=0.1,
    updates=60,
    batch_utterances=8,
    max_seconds=1.0,
    learning_rate=0.01,
    label_smoothing=0.05,
)
# Words that may follow a word: ca only begins sentences and kah never does, so the context tells them apart.
AFTER = {"": ["ca", "ab", "abc", "ba"], "ca": ["ab", "abc", "ba"], "kah": ["ab", "abc", "ba"]}
AFTER |= {word: ["ab", "abc", "ba", "kah"] for word in ("ab", "abc", "ba")}


@dataclass(frozen=True)
class World:
    """`folder` with all files; the true words and phones of each utterance."""

    folder: Path
    words: dict[str, list[str]]
    phones: dict[str, list[str]]
    silence: SilenceSettings = SILENCE


def _sentence(rng: np.random.Generator) -> list[str]:
    words = [str(rng.choice(AFTER[""]))]
    while len(words) < rng.integers(3, 6):
        words.append(str(rng.choice(AFTER[words[-1]])))
    return words


def _spoken(words: list[str], rng: np.random.Generator) -> list[list[str]]:
    return [LEXICON[word][int(len(LEXICON[word]) > 1 and rng.random() < 0.3)].split() for word in words]


def _write_text(folder: Path, rng: np.random.Generator) -> None:
    sentences = [_sentence(rng) for _ in range(300)]
    spoken = [_spoken(words, rng) for words in sentences]
    SentenceTable(sentence=range(300), words=sentences, phones=spoken).write(folder / "sentences.parquet")
    write_lines(folder / "phones_text.txt", [" ".join(insert_silence(words, SILENCE, rng)) for words in spoken])
    write_lines(folder / "phones.txt", PHONES)
    write_symbols(folder / "phones.syms", symbol_table(PHONES))
    shares = {"b c a": 0.4}
    rows = [f"{word} {shares.get(said, 1)} {said}" for word, variants in LEXICON.items() for said in variants]
    write_lines(folder / "lexiconp.txt", sorted(rows))


def _write_audio(folder: Path, rng: np.random.Generator) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The same utterances as 39 cepstra and as 32 learned features; labels with every fifth phone wrong.

    A last utterance, without labels, has a single frame.
    """
    # The halves of a phone differ, so that a repeated phone differs from a long one.
    centres = {dims: rng.normal(size=(4, 1, dims)) + 0.7 * rng.normal(size=(4, 2, dims)) for dims in (39, 32)}
    words, phones, labels = {}, {}, []
    with (
        FrameWriter(folder / "mfcc.npy", {"hop_ms": 10.0, "static_dims": 13}) as mfcc,
        FrameWriter(folder / "wav2vec.npy", {"hop_ms": 20.0}) as wav2vec,
    ):
        for number in range(UTTERANCES):
            name = f"u{number:02}"
            words[name] = _sentence(rng)
            phones[name] = insert_silence(_spoken(words[name], rng), SILENCE, rng)
            ids = np.array([PHONES.index(phone) for phone in phones[name]])
            lengths = rng.integers(5, 10, size=len(ids))
            ending = np.concatenate([np.arange(length) * 2 // length for length in lengths])
            for writer, dims in ((mfcc, 39), (wav2vec, 32)):
                frames = centres[dims][np.repeat(ids, lengths), ending]
                writer.append(name, frames + rng.normal(size=frames.shape))
            wrong = np.where(rng.random(len(ids)) < 0.2, rng.integers(4, size=len(ids)), ids)
            starts = np.cumsum([0, *lengths[:-1]])
            labels.append((name, [PHONES[phone] for phone in wrong], starts, int(lengths.sum())))
        mfcc.append("short", np.zeros((1, 39)))
        wav2vec.append("short", np.zeros((1, 32)))
    PhoneTable.from_rows(labels).write(folder / "labels.parquet")
    return words, phones


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder, rng = tmp_path_factory.mktemp("world"), np.random.default_rng(0)
    _write_text(folder, rng)
    phone_lm(
        phones_text=folder / "phones_text.txt",
        phones=folder / "phones.txt",
        order=3,
        seed=0,
        arpa=folder / "phones.arpa",
        fst=folder / "phones.fst",
        report=folder / "phones.json",
    )
    word_lm(
        sentences=folder / "sentences.parquet",
        lexicon=folder / "lexiconp.txt",
        settings=WordLmSettings(order=3, prune=[]),
        seed=0,
        arpa=folder / "words.arpa",
        fst=folder / "words.fst",
        words=folder / "words.txt",
        report=folder / "words.json",
    )
    return World(folder, *_write_audio(folder, rng))


@pytest.fixture(scope="session")
def train(world: World):
    """A function that trains on a store of `world` and labels, and returns the model's path."""

    def run(store: str, labels: Path, step: int, realign: int = 2) -> Path:
        path = world.folder / f"{store}-{step}-{realign}.safetensors"
        plain = {"features": "frames", "gaussians": 20, "network": False}
        kind = plain if step == 1 else {"features": "lda", "gaussians": 24, "network": True}
        settings = TrainSettings(
            states=2, iterations=6, realign=realign, lda_dims=40, lda_context_ms=20.0, max_memory_mb=500
        )
        hmm_train(
            features=world.folder / f"{store}.npy",
            labels=labels,
            phones=world.folder / "phones.txt",
            kind=kind,
            settings=settings,
            network=NETWORK,
            seed=0,
            threads=1,
            model=path,
        )
        return path

    return run
