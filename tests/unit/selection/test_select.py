"""The choice among rounds of the matching and runs of the GAN, and the phones by the chosen one."""

import ast
import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.settings import decode_settings

import unscribed
from unscribed.acoustic.decode import decode
from unscribed.acoustic.model import AcousticModel
from unscribed.artifacts import read_json, write_json, write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.selection.decode import decode_chosen
from unscribed.selection.select import METRIC_WEIGHT, SCORES, CandidateTable, select
from unscribed.selection.students import Student, add_up, frame_phones, heard
from unscribed.tables import BoundaryTable, PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.label_free import score
from unscribed.text.silence import SilenceSettings

FOLDER = Path(unscribed.__file__).parent
PHONES = ["<SIL>", "a", "b"]
SILENCE = SilenceSettings(0.3, True)
SETTINGS = decode_settings(prior_weight=0.3)
LENGTH = 5  # frames of each phone
GOOD = [["a", "b", "a"], ["b", "a"]] * 4
ONE_PHONE, SILENT = [["a"] for _ in GOOD], [["<SIL>"], []] * 4
UTTERANCES = ([0, 0, 1, 1, 1, 2, 2], [2, 2, 2, 1, 1, 1])  # a phone per frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trigram model that knows no bigrams but `a b`, which is likely, and the inventory."""
    lines = ["\\data\\", "ngram 1=5", "ngram 2=1", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0"]
    lines += [f"{math.log10(0.25):.6f}\t{token}\t0" for token in [*PHONES, "</s>"]]
    lines += ["\\2-grams:", f"{math.log10(0.5):.6f}\ta b\t0", "\\3-grams:", "\\end\\"]
    write_lines(tmp_path / "lm.arpa", lines)
    write_lines(tmp_path / "phones.txt", PHONES)
    return tmp_path


def write_phones(path: Path, phones: list[list[str]], utterances: list[str] | None = None) -> str:
    """A decode of utterances u0, u1 …, as long as those of `write_audio`; the last phone lasts to the end."""
    names = utterances or [f"u{number}" for number in range(len(phones))]
    lengths = {f"u{number}": LENGTH * len(said) for number, said in enumerate(GOOD)}
    rows = [
        (name, found, [LENGTH * place for place in range(len(found))])
        for name, found in zip(names, phones, strict=True)
    ]
    PhoneTable.from_rows((*row, lengths.get(row[0], 1)) for row in rows).write(path)
    return str(path)


def write_audio(folder: Path) -> Path:
    """Frames of the phones that GOOD has, each a phone's own point and a little noise."""
    rng = np.random.default_rng(0)
    with FrameWriter(folder / "valid.npy", {"hop_ms": 10.0}) as writer:
        for number, said in enumerate(GOOD):
            points = np.eye(3)[[PHONES.index(phone) for phone in said]].repeat(LENGTH, axis=0)
            writer.append(f"u{number}", (points + 0.1 * rng.normal(size=points.shape)).astype(np.float32))
    return folder / "valid.npy"


def run_select(folder: Path, candidates: dict[str, list[list[str]]]) -> dict:
    """Choose among candidates by name; those that start with `match` are rounds of the matching."""
    for place, name in enumerate(candidates):
        (folder / f"{place}.safetensors").write_bytes(f"model of {name}".encode())
    select(
        hypotheses=[write_phones(folder / f"{place}.parquet", said) for place, said in enumerate(candidates.values())],
        models=[str(folder / f"{place}.safetensors") for place in range(len(candidates))],
        names=list(candidates),
        kinds=["match" if name.startswith("match") else "gan" for name in candidates],
        frames=write_audio(folder),
        search_arpa=folder / "lm.arpa",
        arpa=folder / "lm.arpa",
        phones=folder / "phones.txt",
        silence=SILENCE,
        threads=1,
        candidates=folder / "select/candidates.parquet",
        selection=folder / "select/selection.json",
        model=folder / "select/model.safetensors",
    )
    return read_json(folder / "select/selection.json")


@pytest.mark.parametrize("names", [["match seed0/round1", "match seed0/round2", "x"], ["match seed0/round1", "y", "x"]])
@pytest.mark.parametrize("place", range(3))
def test_fluent_phones_of_all_kinds_win(folder: Path, names: list[str], place: int) -> None:
    said = [ONE_PHONE, SILENT]
    said.insert(place, GOOD)
    found = run_select(folder, dict(zip(names, said, strict=True)))
    assert found == {"candidate": names[place], "kind": "match" if names[place].startswith("match") else "gan"}
    assert (folder / "select/model.safetensors").read_bytes() == f"model of {names[place]}".encode()
    files = sorted(path.name for path in (folder / "select").iterdir())
    assert files == ["candidates.parquet", "model.safetensors", "selection.json"]


def test_table_of_the_candidates(folder: Path) -> None:
    run_select(folder, {"match seed0/round1": SILENT, "match seed0/round2": GOOD, "random": ONE_PHONE})
    table = CandidateTable.read(folder / "select/candidates.parquet")
    assert list(table) == list(CandidateTable.SCHEMA)
    assert table["candidate"].tolist() == ["match seed0/round1", "match seed0/round2", "random"]
    assert table["kind"].tolist() == ["match", "match", "gan"]
    assert table["chosen"].tolist() == [False, True, False]
    arpa = Arpa.read(folder / "lm.arpa")
    for row, said in zip(table.itertuples(), [SILENT, GOOD, ONE_PHONE], strict=True):
        expected = score(said, arpa, PHONES, SILENCE)
        assert [getattr(row, name) for name in SCORES] == [getattr(expected, name) for name in SCORES]


def test_the_order_of_the_utterances_does_not_matter_but_their_names_do(folder: Path) -> None:
    first = write_phones(folder / "0.parquet", GOOD)
    names = [f"u{number}" for number in range(len(GOOD))]
    same = write_phones(folder / "1.parquet", GOOD[::-1], names[::-1])
    other = write_phones(folder / "2.parquet", GOOD, [*names[:-1], "u99"])
    (folder / "model").write_bytes(b"model")

    def choose_of(second: str) -> None:
        select(
            hypotheses=[first, second],
            models=[str(folder / "model")] * 2,
            names=["match seed0/round1", "match seed0/round2"],
            kinds=["match", "match"],
            frames=write_audio(folder),
            search_arpa=folder / "lm.arpa",
            arpa=folder / "lm.arpa",
            phones=folder / "phones.txt",
            silence=SILENCE,
            threads=1,
            candidates=folder / "candidates.parquet",
            selection=folder / "selection.json",
            model=folder / "model.safetensors",
        )

    choose_of(same)
    table = CandidateTable.read(folder / "candidates.parquet")
    assert table.loc[0, "nll"] == pytest.approx(table.loc[1, "nll"]) and table.loc[0, "usage"] == table.loc[1, "usage"]
    with pytest.raises(UserError, match=r"2\.parquet and .*0\.parquet have different utterances.*Delete both"):
        choose_of(other)


def test_all_silent(folder: Path) -> None:
    with pytest.raises(UserError, match="all 2 candidates give nothing but silence"):
        run_select(folder, {"match seed0/round1": SILENT, "random": SILENT})
    assert not (folder / "select").exists()


def run_decode(folder: Path, candidate: str, kind: str, boundaries: Path | list = ()) -> list[tuple]:
    write_json(folder / "selection.json", {"candidate": candidate, "kind": kind})
    decode_chosen(
        selection=folder / "selection.json",
        model=folder / "model.safetensors",
        frames=folder / "frames.npy",
        arpa=folder / "lm.arpa",
        segments=folder / "segments.npy",
        boundaries=boundaries,
        taught=folder / "taught.parquet",
        settings=SETTINGS,
        threads=1,
        decoded=folder / "decoded.parquet",
    )
    table = PhoneTable.read(folder / "decoded.parquet")
    assert list(table) == list(PhoneTable.SCHEMA)
    return [(row.utterance, row.phones.tolist(), row.starts_frames.tolist(), row.frames) for row in table.itertuples()]


def test_a_round_of_the_matching_decodes_the_frames(folder: Path) -> None:
    with FrameWriter(folder / "frames.npy", {"hop_ms": 10.0}) as writer:
        for number, phones in enumerate(UTTERANCES):
            writer.append(f"u{number}", np.eye(3)[phones])
    identity, zeros = np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    prior = np.full(3, -math.log(3), dtype=np.float32)
    AcousticModel(identity, zeros, 10 * identity, zeros, prior, PHONES, 0).write(folder / "model.safetensors")
    found = run_decode(folder, "match seed0/round1", "match")
    assert found == [("u0", ["<SIL>", "a", "b"], [0, 2, 5], 7), ("u1", ["b", "a"], [0, 3], 6)]
    decode(
        frames=folder / "frames.npy",
        model=folder / "model.safetensors",
        arpa=folder / "lm.arpa",
        settings=SETTINGS,
        threads=1,
        decoded=folder / "round.parquet",
    )
    assert (folder / "round.parquet").read_bytes() == (folder / "decoded.parquet").read_bytes()


def test_phones_of_the_teacher_are_taken_as_they_are(folder: Path) -> None:
    PhoneTable.from_rows([("u0", ["a", "b"], [1, 4], 7)]).write(folder / "taught.parquet")
    assert run_decode(folder, "teacher", "teacher") == [("u0", ["a", "b"], [1, 4], 7)]
    assert (folder / "taught.parquet").read_bytes() == (folder / "decoded.parquet").read_bytes()


@pytest.fixture
def gan(folder: Path) -> Path:
    """Segments that say their phone; a run that reads it, and one that takes each phone for the next."""
    torch = pytest.importorskip("torch")
    from unscribed.gan.model import Generators

    with FrameWriter(folder / "segments.npy", {}) as writer:
        for number, phones in enumerate(UTTERANCES):
            writer.append(f"u{number}", 5 * np.eye(3, dtype=np.float32)[phones])
    weights = torch.stack([torch.eye(3), torch.eye(3).roll(1, dims=1)])[:, None]  # runs, kernel, dims, phones
    generators = Generators({"conv": weights}, {"mean": torch.zeros(2, 3), "variance": torch.ones(2, 3)}, PHONES, 1)
    about = [{"run": number, "label": label} for number, label in ((4, "reads"), (5, "shifts"))]
    generators.write(folder / "model.safetensors", about)
    return folder


def test_a_run_of_the_gan_is_found_by_its_name(gan: Path) -> None:
    wanted = [("u0", ["<SIL>", "a", "b"], [0, 2, 5], 7), ("u1", ["b", "a"], [0, 3], 6)]
    assert run_decode(gan, "reads", "gan") == wanted  # the segments are frames
    after = dict(zip(PHONES, [*PHONES[1:], PHONES[0]], strict=True))
    shifted = [(name, [after[phone] for phone in phones], *times) for name, phones, *times in wanted]
    assert run_decode(gan, "shifts", "gan") == shifted
    with pytest.raises(UserError, match=r"model\.safetensors does not have the label gone: the grid has changed"):
        run_decode(gan, "gone", "gan")


def test_a_run_on_segments_has_their_times(gan: Path) -> None:
    edges = [list(range(0, 10 * len(phones) + 1, 10)) for phones in UTTERANCES]
    table = BoundaryTable(utterance=["u1", "u0"], boundaries_frames=edges[::-1])  # in another order
    table.write(gan / "boundaries.parquet")
    found = run_decode(gan, "reads", "gan", gan / "boundaries.parquet")
    assert found == [("u0", ["<SIL>", "a", "b"], [0, 20, 50], 70), ("u1", ["b", "a"], [0, 30], 60)]


def test_select_reads_phones_frames_and_text_alone() -> None:
    """No argument could bring in anything of a transcript."""
    wanted = {"hypotheses", "models", "names", "kinds", "frames", "search_arpa", "arpa", "phones"}
    wanted |= {"silence", "threads"}
    assert set(inspect.signature(select).parameters) == wanted | {"candidates", "selection", "model"}


def _labels(said: list[list[str]]) -> np.ndarray:
    """Phone ids of the frames of `write_audio`, if these phones were said."""
    return np.concatenate([np.repeat([PHONES.index(phone) for phone in row], LENGTH) for row in said])


def test_students_decode_alike_what_candidates_decoded_differently(folder: Path) -> None:
    """Plain output that flickers at the start of every second phone has the same student as output without a flaw."""
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    flickers = labels.copy()
    flickers[:: 2 * LENGTH] = (labels[:: 2 * LENGTH] + 1) % len(PHONES)
    for given in (labels, flickers):
        assert heard(store, given, folder / "lm.arpa", PHONES, threads=1).phones == GOOD


def test_fluent_phones_that_do_not_fit_the_audio_have_less_evidence(folder: Path) -> None:
    """In each of two utterances `a b` is said, which is likely, where `b a` and `a b a` can be heard."""
    fluent = [["a", "b", "b"], ["a", "b"]] * 4
    for number in range(2):
        (folder / f"{number}.safetensors").write_bytes(b"model")
    assert run_select(folder, {"match fluent": fluent, "true": GOOD})["candidate"] == "true"
    table = CandidateTable.read(folder / "select/candidates.parquet")
    assert table["nll"].idxmin() == 0  # by the phones alone, the other one would have been chosen


def test_merit_is_evidence_less_a_part_of_the_metric(folder: Path) -> None:
    """Phones that are no sentences lose, though their students explain the audio better."""
    run_select(folder, {"match seed0/round1": GOOD, "other": ONE_PHONE, "silent": SILENT})
    table = CandidateTable.read(folder / "select/candidates.parquet")
    metric = table["nll"] - np.log(table["usage"].where(table["usage"] > 0))
    wanted = (table["evidence"] - METRIC_WEIGHT * metric).fillna(-np.inf)
    np.testing.assert_allclose(table["merit"], wanted)
    assert table["merit"].idxmax() == table["chosen"].idxmax() and table["merit"][2] == -np.inf


def test_a_student_is_a_gaussian_of_each_phone_and_a_little_of_the_whole(folder: Path) -> None:
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    student = Student.of(add_up(store, labels, np.arange(len(GOOD)), 3), PHONES, 10.0)
    a, count, every = store.data[labels == 1], (labels == 1).sum(), store.data.mean(axis=0)
    np.testing.assert_allclose(student.means[1], (a.sum(axis=0) + 10 * every) / (count + 10), rtol=1e-5)
    np.testing.assert_allclose(student.means[0], every, rtol=1e-5)  # nobody says <SIL>
    found = student.log_posteriors(store, 0, 2)
    mean, variance = student.means[1], student.variances[1]
    wanted = -0.5 * ((store.data[3] - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum()
    assert found.shape == (25, 3) and found[3, 1] == pytest.approx(wanted)
    assert student.scale == pytest.approx(0.2 * 39 / 3)  # three features tell as much as 39 do


def test_no_student_decodes_what_it_learned_from(folder: Path) -> None:
    """An utterance alone says another phone of its frames than all others: its student has never heard of it."""
    store, labels = FrameStore(write_audio(folder)), _labels(GOOD)
    labels[: 3 * LENGTH] = 0
    assert heard(store, labels, folder / "lm.arpa", PHONES, threads=1).phones[0] == GOOD[0]


def test_frames_bear_the_phone_that_lasts_over_them(folder: Path) -> None:
    store = FrameStore(write_audio(folder))
    table = PhoneTable.by_utterance(write_phones(folder / "0.parquet", [["a", "b", "a"], [], *GOOD[2:]]))
    table.at["u0", "starts_frames"] = np.array([2, 5, 10])  # the first phone begins late
    found = frame_phones(table, "0.parquet", store, PHONES)
    assert found[: 5 * LENGTH].tolist() == [1] * 5 + [2] * 5 + [1] * 5 + [0] * 10


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("phones", ["x"], "has the phones x, which are not in the inventory"),
        ("frames", 2, "they come from different audio"),
    ],
)
def test_phones_that_do_not_fit_the_frames(folder: Path, column: str, value: object, message: str) -> None:
    store = FrameStore(write_audio(folder))
    table = PhoneTable.by_utterance(write_phones(folder / "0.parquet", GOOD))
    table.at["u0", column] = value
    with pytest.raises(UserError, match=f"0.parquet .*{message}"):
        frame_phones(table, "0.parquet", store, PHONES)


PARTS = ("matching", "acoustic", "gan", "hmm", "wfst", "ctc", "selection")
# Models of few labels are tuned on transcripts; tests/workflow/test_finetune_firewall.py sees that no others are.
FEW_LABELS = {"ctc/labels.py", "ctc/tune.py", "ctc/rescore_tune.py"}
MODULES = sorted({str(path.relative_to(FOLDER)) for part in PARTS for path in FOLDER.glob(f"{part}/*.py")} - FEW_LABELS)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_the_training_knows_of_references(name: str) -> None:
    """Neither training, decoding nor the choice imports what reads or scores transcripts."""
    tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    readers = ("unscribed.references", "unscribed.corpora", "unscribed.evaluation")
    assert not [name for name in imported if name and name.startswith(readers)]
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert not [name for name in arguments if "reference" in name or "transcript" in name]
