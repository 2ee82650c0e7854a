import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.gan.curves import GanCurveTable
from unscribed.gan.job import GanJob
from unscribed.gan.model import Generators
from unscribed.gan.runs import GRID, GanSettings, run_label
from unscribed.gan.train import gan_train
from unscribed.gan.transcribe import find_run, gan_decode
from unscribed.tables import BoundaryTable, PhoneTable
from unscribed.text.silence import SilenceSettings

PHONES = ["<SIL>", "a", "b", "k", "t"]
SETTINGS = GanSettings(
    kernel=4,
    stride=1,
    batch_norm=1.0,
    residual=False,
    auxiliary=0.0,
    discriminator_dims=8,
    discriminator_kernel=3,
    dropout=0.1,
    batch_size=8,
    updates=12,
    discriminator_first=2,
    generator_learning_rate=1e-3,
    discriminator_learning_rate=1e-3,
    check_every=4,
    device="cpu",
    average=0.9,
)
RUN = {"seed": 0, "start": "random", **dict.fromkeys(GRID[1:], 0.1), "diversity": 1.0}
ARPA = """\\data\\
ngram 1=7

\\1-grams:
-0.8 <s>
-0.8 </s>
-0.8 <SIL>
-0.8 a
-0.8 b
-0.8 k
-0.8 t

\\end\\
"""


def _write_audio(folder: Path, split: str, utterances: int, seed: int) -> list[np.ndarray]:
    """Write segments of 3 frames, whose 4 features depend on the phone, and their boundaries; return the phones."""
    generator = np.random.default_rng(seed)
    spoken, edges = [], []
    with FrameWriter(folder / f"{split}.npy", {"hop_ms": 10.0}) as writer:
        for number in range(utterances):
            phones = generator.integers(1, 5, size=generator.integers(1, 9))  # some are shorter than the kernel
            rows = np.eye(5)[phones][:, 1:] + 0.05 * generator.standard_normal((len(phones), 4))
            writer.append(f"{split}-{number}", rows.astype(np.float32))
            spoken.append(phones)
            edges.append(np.arange(len(phones) + 1) * 3)
        names = list(writer.utterances)
    BoundaryTable(utterance=names, boundaries_frames=edges).write(folder / f"{split}.boundaries.parquet")
    PhoneTable(
        utterance=names,
        phones=[[PHONES[phone] for phone in phones] for phones in spoken],
        starts_frames=[edge[:-1] for edge in edges],
        frames=[int(edge[-1]) for edge in edges],
    ).write(folder / f"{split}.match.parquet")
    return spoken


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    _write_audio(tmp_path, "train", 60, seed=0)
    _write_audio(tmp_path, "valid", 20, seed=1)
    generator = np.random.default_rng(2)
    lines = [" ".join(PHONES[phone] for phone in generator.integers(1, 5, size=6)) for _ in range(80)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "phones.txt").write_text("\n".join(PHONES) + "\n")
    (tmp_path / "lm.arpa").write_text(ARPA)
    return tmp_path


def _train(
    folder: Path, out: str, runs: list[dict], settings: GanSettings = SETTINGS, starts: Sequence[str] = ()
) -> Path:
    """Train `runs`; the labels of each of the `starts` are in a file of its name."""
    target = folder / out
    gan_train(
        audio=folder / "train.npy",
        valid=folder / "valid.npy",
        phones_text=folder / "text.txt",
        phones=folder / "phones.txt",
        arpa=folder / "lm.arpa",
        targets=[],
        labels=[str(folder / f"train.{start}.parquet") for start in starts],
        starts=starts,
        boundaries=folder / "train.boundaries.parquet",
        runs=runs,
        numbers=list(range(len(runs))),
        settings=settings,
        silence=SilenceSettings(0.0, False),
        threads=1,
        models=[str(target / f"{moment}.safetensors") for moment in ("start", "best", "last")],
        curves=target / "curves.parquet",
    )
    return target


def _decode(folder: Path, model: Path, run: int) -> list[list[str]]:
    gan_decode(
        segments=folder / "valid.npy",
        boundaries=folder / "valid.boundaries.parquet",
        model=model,
        run=str(run),
        posteriors=folder / "posteriors.npy",
        decoded=folder / "decoded.parquet",
    )
    return [list(found) for found in PhoneTable.read(folder / "decoded.parquet")["phones"]]


def test_runs_side_by_side_give_what_each_gives_alone(corpus: Path) -> None:
    runs = [RUN, {**RUN, "seed": 1, "gradient_penalty": 1.5}, {**RUN, "seed": 2, "smoothness": 1.0}]
    together = Generators.read(_train(corpus, "all", runs) / "last.safetensors")[0]
    for number, run in enumerate(runs):
        alone = Generators.read(_train(corpus, f"one{number}", [run]) / "last.safetensors")[0]
        for name, value in alone.weights.items():
            torch.testing.assert_close(together.run(number).weights[name], value, rtol=1e-3, atol=1e-5)


def test_a_killed_job_goes_on_as_if_nothing_had_happened(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [RUN, {**RUN, "start": "match"}]
    whole = _train(corpus, "whole", runs, starts=["match"])
    save = GanJob._save

    def save_and_die(self: GanJob, path: Path) -> None:
        save(self, path)
        if self.done == 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(GanJob, "_save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        _train(corpus, "killed", runs, starts=["match"])
    assert not (corpus / "killed/curves.parquet").exists()
    monkeypatch.setattr(GanJob, "_save", save)
    killed = _train(corpus, "killed", runs, starts=["match"])
    for moment in ("start", "best", "last"):
        assert (killed / f"{moment}.safetensors").read_bytes() == (whole / f"{moment}.safetensors").read_bytes()
    columns = [name for name in GanCurveTable.read(whole / "curves.parquet") if name != "seconds"]
    tables = [GanCurveTable.read(folder / "curves.parquet")[columns] for folder in (whole, killed)]
    assert tables[0].equals(tables[1])
    assert not (killed / "state.safetensors").exists()


def test_the_state_of_other_settings_is_not_taken_over(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # as if killed just before the end
    _train(corpus, "job", [RUN])
    monkeypatch.undo()
    _train(corpus, "job", [RUN], replace(SETTINGS, batch_size=9))
    assert "belongs to other settings" in caplog.text
    (corpus / "job/state.safetensors").write_bytes(b"no safetensors")
    _train(corpus, "job", [RUN])
    assert "is damaged" in caplog.text


def test_a_warm_start_says_what_the_labels_say(corpus: Path) -> None:
    model = _train(corpus, "warm", [{**RUN, "start": "match"}, RUN], starts=["match"]) / "start.safetensors"
    said = _decode(corpus, model, 0)
    truth = PhoneTable.read(corpus / "valid.match.parquet")["phones"]
    joined = [[phone for i, phone in enumerate(row) if i == 0 or row[i - 1] != phone] for row in truth]
    assert sum(a == b for a, b in zip(said, joined, strict=True)) >= 19
    assert _decode(corpus, model, 1) != said
    table, posteriors = PhoneTable.read(corpus / "decoded.parquet"), FrameStore(corpus / "posteriors.npy")
    first = posteriors[0]
    assert [PHONES[phone] for phone in first.argmax(axis=1)] == list(table["phones"][0])
    np.testing.assert_allclose(posteriors.data.sum(axis=1), 1, rtol=1e-5)
    assert table["starts_frames"][0][0] == 0 and all(start % 3 == 0 for start in table["starts_frames"][0])
    assert table["frames"].tolist() == PhoneTable.read(corpus / "valid.match.parquet")["frames"].tolist()


def test_every_run_starts_from_the_labels_of_its_own_start(corpus: Path) -> None:
    """Where the matching hears a phone, this teacher hears the next one of the inventory."""
    table = PhoneTable.read(corpus / "train.match.parquet")
    columns = {name: list(table[name]) for name in PhoneTable.SCHEMA}
    columns["phones"] = [[PHONES[1 + PHONES.index(phone) % 4] for phone in row] for row in columns["phones"]]
    PhoneTable(**columns).write(corpus / "train.teacher.parquet")
    runs = [{**RUN, "start": start} for start in ("teacher", "match")]
    model = _train(corpus, "warm", runs, starts=["match", "teacher"]) / "start.safetensors"
    taught, matched = (_decode(corpus, model, run) for run in (0, 1))
    moved = [[PHONES[1 + PHONES.index(phone) % 4] for phone in row] for row in matched]
    assert sum(a == b for a, b in zip(taught, moved, strict=True)) >= 19 and taught != matched


def test_curves_and_descriptions(corpus: Path) -> None:
    target = _train(corpus, "job", [RUN, {**RUN, "seed": 3}])
    curves = GanCurveTable.read(target / "curves.parquet")
    assert curves[["run", "update"]].to_numpy().tolist() == [[r, u] for u in (0, 4, 8, 12) for r in (0, 1)]
    assert curves["generator"][2:].notna().all() and curves["auxiliary"].isna().all()
    about = Generators.read(target / "best.safetensors")[1]
    best = curves.loc[curves[curves["run"] == 1]["weighted_perplexity"].idxmin()]
    assert about[1]["best_update"] == best["update"]
    assert about[1]["label"] == run_label({**RUN, "seed": 3})


def test_a_diverged_run_ends_and_the_others_go_on(corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    runs = [{**RUN, "smoothness": float("nan")}, RUN]
    target = _train(corpus, "job", runs)
    assert "run 0 ends at update 4: it has diverged" in caplog.text
    curves = GanCurveTable.read(target / "curves.parquet")
    assert curves[curves["run"] == 0]["update"].tolist() == [0, 4]
    assert curves[curves["run"] == 1]["update"].tolist() == [0, 4, 8, 12]
    generators, about = Generators.read(target / "last.safetensors")
    assert about[0]["status"].startswith("diverged") and about[1]["status"] == "ok"
    assert all(value.isfinite().all() for value in generators.weights.values())
    alone = Generators.read(_train(corpus, "alone", [RUN]) / "last.safetensors")[0]
    torch.testing.assert_close(generators.run(1).weights["conv"], alone.weights["conv"], rtol=1e-3, atol=1e-5)


def test_a_job_whose_runs_all_diverged(corpus: Path) -> None:
    with pytest.raises(
        UserError, match=r"all 1 runs of .*curves.parquet diverged .* lower gan.generator_learning_rate"
    ):
        _train(corpus, "job", [{**RUN, "smoothness": float("nan")}])
    assert not (corpus / "job/state.safetensors").exists()


def test_a_collapsed_run_ends_at_its_second_check(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("unscribed.gan.check.COLLAPSED_USAGE", 1.1)
    curves = GanCurveTable.read(_train(corpus, "job", [RUN]) / "curves.parquet")
    assert curves["update"].tolist() == [0, 4]
    assert "run 0 ends at update 4: it has collapsed: only" in caplog.text


def test_audio_and_labels_of_other_inventories(corpus: Path) -> None:
    (corpus / "text.txt").write_text("a b x\n")
    with pytest.raises(UserError, match=r"text.txt has the phones x, which are not in the inventory"):
        _train(corpus, "job", [RUN])
    (corpus / "text.txt").write_text("a a a\na\n")
    with pytest.raises(UserError, match=r"text.txt consists of one phone"):
        _train(corpus, "job", [RUN])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("phones", ["x"], "has the phones x, which are not in the inventory"),
        ("frames", 2, "they come from different runs"),
        ("utterance", "nobody", "there is no utterance train-0"),
    ],
)
def test_labels_that_do_not_fit(corpus: Path, column: str, value: object, message: str) -> None:
    table = PhoneTable.read(corpus / "train.match.parquet")
    columns = {name: list(table[name]) for name in PhoneTable.SCHEMA}
    if column == "phones":
        columns["starts_frames"][0] = [0]
    columns[column][0] = value
    PhoneTable(**columns).write(corpus / "train.match.parquet")
    with pytest.raises(UserError, match=message):
        _train(corpus, "job", [{**RUN, "start": "match"}], starts=["match"])


def test_a_generator_of_other_features_or_runs(corpus: Path) -> None:
    model = _train(corpus, "job", [RUN]) / "best.safetensors"
    with pytest.raises(UserError, match=r"does not have the run 7: the grid has changed"):
        find_run(model, "run", 7)
    with FrameWriter(corpus / "valid.npy") as writer:
        writer.append("valid-0", np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(UserError, match=r"has 3 dimensions, the generator was trained with 4"):
        _decode(corpus, model, 0)
    model.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"is missing or damaged .*: delete it and run the workflow again"):
        find_run(model, "run", 0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_trains_what_a_cpu_decodes(corpus: Path) -> None:
    runs = [{**RUN, "start": "match"}, RUN]
    target = _train(corpus, "gpu", runs, replace(SETTINGS, device="cuda"), starts=["match"])
    assert GanCurveTable.read(target / "curves.parquet")["status"].eq("ok").all()
    start = _train(corpus, "cpu", runs, starts=["match"]) / "start.safetensors"  # of other random numbers
    pairs = zip(_decode(corpus, target / "start.safetensors", 0), _decode(corpus, start, 0), strict=True)
    assert sum(one == other for one, other in pairs) >= 18
