from pathlib import Path

import pytest
from helpers.settings import match_settings

from unscribed.artifacts import read_json, write_lines
from unscribed.selection.cycle import hmm_select
from unscribed.tables import PhoneTable

MATCH = match_settings()
TEXT = ["<SIL> a b a <SIL>", "<SIL> b a <SIL>", "<SIL> a b <SIL>"]
NEAR, FAR = [*TEXT[:2], "<SIL> a a <SIL>"], ["<SIL> b b b <SIL>"] * 3


def _select(folder: Path, cycles: list[list[str]], models: int) -> dict:
    for number, lines in enumerate(cycles):
        rows = [line.split() for line in lines]
        starts, frames = [list(range(len(row))) for row in rows], [len(row) for row in rows]
        columns = {"utterance": [f"u{place}" for place in range(len(rows))], "phones": rows, "starts_frames": starts}
        PhoneTable(**(columns | {"frames": frames})).write(folder / f"{number}.parquet")
    for number in range(models):
        (folder / f"{number}.safetensors").write_bytes(f"model {number}".encode())
    write_lines(folder / "text.txt", TEXT)
    write_lines(folder / "phones.txt", ["<SIL>", "a", "b"])
    hmm_select(
        models=[str(folder / f"{number}.safetensors") for number in range(models)],
        decoded=[str(folder / f"{number}.parquet") for number in range(len(cycles))],
        phones_text=folder / "text.txt",
        phones=folder / "phones.txt",
        match=MATCH,
        model=folder / "out/model.safetensors",
        selection=folder / "out/selection.json",
    )
    return read_json(folder / "out/selection.json")


@pytest.mark.parametrize("cycles", [[TEXT, FAR, NEAR], [FAR, TEXT, NEAR], [NEAR, FAR, TEXT]])
def test_the_lowest_discrepancy_wins(tmp_path: Path, cycles: list[list[str]]) -> None:
    best = cycles.index(TEXT)
    found = _select(tmp_path, cycles, 3)
    assert found["cycle"] == best + 1 and found["discrepancies"][best] == pytest.approx(0, abs=1e-6)
    assert (
        found["discrepancies"][best]
        < found["discrepancies"][cycles.index(NEAR)]
        < found["discrepancies"][cycles.index(FAR)]
    )
    assert (tmp_path / "out/model.safetensors").read_bytes() == f"model {best}".encode()


def test_one_cycle_is_not_compared(tmp_path: Path) -> None:
    assert _select(tmp_path, [], 1) == {"cycle": 1, "discrepancies": []}
    assert (tmp_path / "out/model.safetensors").read_bytes() == b"model 0"
