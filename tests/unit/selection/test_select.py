"""The choice among rounds of the matching and runs of the GAN, and the phones by the chosen one."""

import ast
import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.candidates import (
    GOOD,
    ONE_PHONE,
    PHONES,
    SETTINGS,
    SILENCE,
    SILENT,
    UTTERANCES,
    write_audio,
    write_phones,
)

import unscribed
from unscribed.acoustic.decode import decode
from unscribed.acoustic.model import AcousticModel
from unscribed.artifacts import read_json, write_json
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.selection.decode import decode_chosen
from unscribed.selection.select import METRIC_WEIGHT, SCORES, CandidateTable, select
from unscribed.tables import BoundaryTable, PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.label_free import score

FOLDER = Path(unscribed.__file__).parent


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
