"""Adapting a network to speech that differs from what it learned in a known way, and decoding it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tables import filled

from unscribed.acoustic.network import FrameNetwork
from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.audio.speakers import speakers_of
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.tables import ManifestTable, PhoneTable
from unscribed.teacher.adapt import AdaptationTable, AdaptSettings, adapt, fit_statistics
from unscribed.teacher.decode import TeacherClassifier, at_hop, teacher_decode
from unscribed.teacher.network import Teacher
from unscribed.teacher.speakers import speaker_teachers
from unscribed.teacher.spectrum import NATS_PER_DB, seen

RATE, BINS, PHONES = 16000, 40, ["<SIL>", "a", "i", "u"]
SHORTER = 1.5  # how much higher the formants of a shorter vocal tract are
FORMANTS_HZ = {"<SIL>": None, "a": (800, 1300), "i": (300, 2300), "u": (300, 800)}
SETTINGS = AdaptSettings(warps=[1 / SHORTER, 1.0, SHORTER], floors=[11.0], adapt_minutes=5.0, device="cpu")
DECODE = DecodeSettings(acoustic_scale=0.5, lm_weight=1.0, prior_weight=0.5, insertion_penalty=0.0, beam=20.0)
CPU = torch.device("cpu")


def spectrum(phone: str, factor: float) -> np.ndarray:
    """A log-mel spectrum in dB of two formants, moved by `factor`."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (top * np.arange(1, BINS + 1) / (BINS + 1) / 2595) - 1)
    if FORMANTS_HZ[phone] is None:
        return np.full(BINS, -60.0)
    peaks = [np.exp(-(((np.log(hertz / (factor * one))) / 0.15) ** 2)) for one in FORMANTS_HZ[phone]]
    return -40 + 40 * np.max(peaks, axis=0)


def utterances(count: int, factor: float, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames (T, M) in dB with the phone of each (T,): vowels of 16 frames between silences."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        labels = np.repeat([0, *generator.integers(1, len(PHONES), size=6), 0], 16)
        frames = np.stack([spectrum(PHONES[label], factor) for label in labels])
        found.append(((frames + generator.normal(size=frames.shape)).astype(np.float32), labels))
    return found


def write_store(path: Path, frames: list[np.ndarray]) -> Path:
    with FrameWriter(path, {"hop_ms": 10.0, "sample_rate_hz": RATE, "kind": "logmel"}) as writer:
        for number, one in enumerate(frames):
            writer.append(f"u{number:02d}", one)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher that learned the vowels at their usual place, without augmentation."""
    torch.manual_seed(0)
    network = FrameNetwork(BINS, 16, len(PHONES), 0.0, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for update in range(60):
        spoken = utterances(8, 1.0, update)
        x = NATS_PER_DB * torch.from_numpy(np.stack([frames for frames, _ in spoken]))
        lengths, one = torch.full((8,), x.shape[1]), torch.ones(8)
        logits, _ = network(seen(x, lengths, one, 11 * one, RATE), lengths)
        wanted = torch.from_numpy(np.stack([labels for _, labels in spoken]))[:, ::2]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    Teacher(network.eval(), PHONES, torch.zeros(len(PHONES)), RATE).write(path)
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """Speech of a much shorter vocal tract: the store and its labels."""
    spoken = utterances(12, SHORTER, 99)
    path = write_store(tmp_path_factory.mktemp("moved") / "train.npy", [frames for frames, _ in spoken])
    return path, [labels for _, labels in spoken]


@pytest.fixture(scope="module")
def adapted(model: Path, moved: tuple[Path, list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapted")
    outputs = {"adapted": folder / "adapted.safetensors", "adaptation": folder / "adaptation.parquet"}
    adapt(model=model, frames=moved[0], settings=SETTINGS, seed=0, threads=1, **outputs)
    return folder


def right(teacher: Teacher, store: Path, labels: list[np.ndarray]) -> float:
    """The share of frames whose phone is found."""
    found = TeacherClassifier(teacher).log_posteriors(FrameStore(store), 0, len(labels))
    return float((found.argmax(-1) == np.concatenate(labels)).mean())


def test_the_warp_that_undoes_the_speaker_is_found_without_labels(model: Path, moved, adapted: Path) -> None:
    tried = AdaptationTable.read(adapted / "adaptation.parquet")
    assert tried.loc[tried["chosen"], "warp"].tolist() == [1 / SHORTER]
    assert tried["sureness"].idxmax() == tried["chosen"].idxmax()
    before, after = Teacher.read(model, CPU), Teacher.read(adapted / "adapted.safetensors", CPU)
    assert after.warp == 1 / SHORTER and after.floor == 11.0
    assert right(after, *moved) > 0.9 > right(before, *moved)


def test_the_prior_is_the_share_of_each_phone_in_the_corpus(moved, adapted: Path) -> None:
    prior = Teacher.read(adapted / "adapted.safetensors", CPU).log_prior.exp().numpy()
    shares = np.bincount(np.concatenate(moved[1]), minlength=len(PHONES)) / sum(map(len, moved[1]))
    assert np.allclose(prior, shares, atol=0.08)


def test_fitted_statistics_normalise_the_corpus(model: Path, moved) -> None:
    teacher, store = Teacher.read(model, CPU), FrameStore(moved[0])
    fit_statistics(teacher, store, range(len(store)))
    inputs = []
    norm = teacher.network.blocks[0].norm
    norm.register_forward_hook(lambda _, given, result: inputs.append(result))
    list(teacher.logits(torch.from_numpy(np.stack([store[0], store[1]])), torch.tensor([128, 128])))
    scaled = (inputs[0] - norm.bias[:, None]) / norm.weight[:, None]
    assert scaled.mean((0, 2)).abs().max() < 0.3 and (scaled.var((0, 2)) - 1).abs().max() < 0.5


def test_decoded_phones_have_the_times_of_the_store_that_hmms_model(moved, adapted: Path, tmp_path: Path) -> None:
    arpa = tmp_path / "3gram.arpa"
    words = [*PHONES, "</s>"]
    lines = "".join(f"-0.6\t{word}\t0\n" for word in words)
    arpa.write_text(
        "\\data\\\nngram 1=6\nngram 2=1\nngram 3=1\n\n\\1-grams:\n-99\t<s>\t0\n"
        + lines
        + "\n\\2-grams:\n-0.6\t<s> a\t0\n\n\\3-grams:\n-0.6\t<s> a i\n\n\\end\\\n"
    )
    store = FrameStore(moved[0])
    with FrameWriter(tmp_path / "modelled.npy", {"hop_ms": 20.0}) as writer:
        for utterance, frames in store:
            writer.append(utterance, frames[::2])
    teacher_decode(
        model=adapted / "adapted.safetensors",
        frames=moved[0],
        manifest=tmp_path / "manifest.parquet",
        modelled=tmp_path / "modelled.npy",
        arpa=arpa,
        settings=DECODE,
        warps=SETTINGS.warps,
        speaker_level=0,
        device="cpu",
        threads=1,
        decoded=tmp_path / "decoded.parquet",
    )
    table = PhoneTable.read(tmp_path / "decoded.parquet")
    labels = moved[1][0][::2]
    edges = np.flatnonzero(np.diff(labels, prepend=-1))
    assert table["frames"][0] == len(labels) == 64
    assert table["phones"][0].tolist() == [PHONES[label] for label in labels[edges]]
    assert np.abs(table["starts_frames"][0] - edges).max() <= 1


def test_each_speaker_is_heard_with_statistics_and_a_warp_of_its_own(model: Path, tmp_path: Path) -> None:
    """Two people of 31 s, whose vocal tracts differ by half, and a third with too little audio for a choice."""
    lengths = {"tall/1": (25, 1.0), "short/1": (25, SHORTER), "brief/1": (4, SHORTER)}
    spoken = [one for count, factor in lengths.values() for one in utterances(count, factor, count)]
    store = FrameStore(write_store(tmp_path / "train.npy", [frames for frames, _ in spoken]))
    folders = [folder for folder, (count, _) in lengths.items() for _ in range(count)]
    paths = [f"audio/{folder}/{name}.flac" for folder, name in zip(folders, store.utterances, strict=True)]
    filled(ManifestTable, utterance=store.utterances, path=paths).write(tmp_path / "manifest.parquet")
    speakers = speakers_of(tmp_path / "manifest.parquet", store.utterances, 2)
    assert speakers == [f"audio/{folder.split('/')[0]}" for folder in folders]
    teacher = Teacher.read(model, CPU)
    fit_statistics(teacher, store, range(25))  # the corpus is mostly tall
    found = speaker_teachers(teacher, store, speakers, SETTINGS.warps)
    assert {name: one.warp for name, one in found.items()} == {"audio/tall": 1.0, "audio/short": 1 / SHORTER}
    tall, short, corpus = (
        one.network.blocks[0].norm.mean for one in (found["audio/tall"], found["audio/short"], teacher)
    )
    assert torch.allclose(tall, corpus, atol=1e-4) and not torch.allclose(short, corpus, atol=1e-3)
    own = {number: found[name] for number, name in enumerate(speakers) if name in found}
    labels = np.concatenate([labels for _, labels in spoken[25:50]])
    shares = [
        float((TeacherClassifier(teacher, given).log_posteriors(store, 25, 50).argmax(-1) == labels).mean())
        for given in (own, None)
    ]
    assert shares[0] > 0.9 > shares[1]


def test_a_phone_shorter_than_a_frame_is_left_out() -> None:
    table = PhoneTable.from_rows([("u", ["a", "b", "c"], [0, 3, 4], 6)])
    found = at_hop(table, np.array([3]), 0.5)
    assert found.columns["phones"] == [["a", "c"]] and found.columns["starts_frames"][0].tolist() == [0, 2]
    same = at_hop(table, np.array([6]), 1.0)
    assert same.columns["phones"] == [["a", "b", "c"]] and same.columns["starts_frames"][0].tolist() == [0, 3, 4]


def test_one_utterance_of_one_speaker_is_enough_if_it_is_two_seconds_long(model: Path, tmp_path: Path) -> None:
    """Below that the message names file, seconds and remedy; where there is more audio, it names the key."""
    (spoken, _), *more = utterances(4, 1.0, 5)
    outputs = {"adapted": tmp_path / "adapted", "adaptation": tmp_path / "adaptation.parquet"}
    given = {"model": model, "seed": 0, "threads": 1, **outputs}
    short = write_store(tmp_path / "short.npy", [spoken])  # 128 frames
    needed = r"1\.3 s in 1 utterance\(s\) where 2\.0 s are needed"
    with pytest.raises(UserError, match=rf"short\.npy has too little audio .*{needed}: give more.*teacher\.candidate"):
        adapt(frames=short, settings=SETTINGS, **given)
    many = write_store(tmp_path / "many.npy", [spoken, *(frames for frames, _ in more)])
    with pytest.raises(UserError, match=rf"{needed}: raise teacher\.adapt_minutes"):
        adapt(frames=many, settings=replace(SETTINGS, adapt_minutes=0.01), **given)
    assert not (tmp_path / "adapted").exists()
    one = write_store(tmp_path / "one.npy", [np.concatenate([spoken, more[0][0]])])
    adapt(frames=one, settings=SETTINGS, **given)
    assert Teacher.read(tmp_path / "adapted", CPU).warp == 1.0


def test_a_teacher_that_is_unsure_of_everything_stops_and_writes_no_model(tmp_path: Path) -> None:
    outputs = {"adapted": tmp_path / "adapted", "adaptation": tmp_path / "adaptation.parquet"}
    unsure = tmp_path / "unsure.safetensors"
    network = FrameNetwork(BINS, 4, 40, 0.0, 2)
    torch.nn.init.zeros_(network.output.weight)
    torch.nn.init.zeros_(network.output.bias)
    Teacher(network.eval(), [str(phone) for phone in range(40)], torch.zeros(40), RATE).write(unsure)
    noise = np.random.default_rng(0).normal(size=(400, BINS)).astype(np.float32)
    with pytest.raises(UserError, match=r"sure of nothing in .*n\.npy.*corpus\.language.*teacher\.candidate: false"):
        adapt(
            model=unsure,
            frames=write_store(tmp_path / "n.npy", [noise]),
            settings=SETTINGS,
            seed=0,
            threads=1,
            **outputs,
        )
    assert not (tmp_path / "adapted").exists()
