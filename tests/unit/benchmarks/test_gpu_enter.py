import json
from pathlib import Path

import enter
import pytest

PAGE = "# Results\n\n## Before\n\nold\n\n## Behind\n\ntext\n"


def _part(number: int, **steps: dict) -> dict:
    machine = {"gpu": "NVIDIA Test", "cores": 16, "python": "3.12.3"}
    about = {"part": number, "rehearsal": False, "date": "2026-12-01", "command": f"benchmarks/gpu/run.sh {number}"}
    return {**about, "machine": machine, "seconds": 31.4, "steps": steps}


def _ok(**figures: float) -> dict:
    return {"status": "ok", "seconds": 10.2, "figures": figures}


def _write(folder: Path, *parts: dict) -> Path:
    folder.mkdir(exist_ok=True)
    for part in parts:
        (folder / f"part{part['part']}.json").write_text(json.dumps(part))
    return folder


def test_figures_are_entered_and_replaced(tmp_path: Path) -> None:
    late = {"status": "left out", "reason": "needs 60 s, and 5 s of this part are left", "seconds": 0.0}
    first = _write(
        tmp_path / "first", _part(1, gan=_ok(updates=1234567, ratio=5.5), teacher=late), _part(2, teacher=_ok())
    )
    new = enter.section(enter.read_parts(first))
    page = enter.entered(PAGE, new)
    assert page == enter.entered(page, new)  # once
    assert "| gan | ok | 10 |" in page and "| `updates` | 1,234,567 |" in page and "| `ratio` | 5.5 |" in page
    assert "`benchmarks/gpu/run.sh 1` (2026-12-01, NVIDIA Test, 16 cores, Python 3.12.3, 31 s)" in page
    assert "| teacher | ok | 10 |" in page and "left out" not in page
    other = enter.section(enter.read_parts(_write(tmp_path / "other", _part(1, gan=late))))
    behind = page + "\n## Last\n\nend\n"
    replaced = enter.entered(behind, other)
    assert replaced == PAGE + "\n" + other + "\n## Last\n\nend\n"
    assert "| gan | left out: needs 60 s, and 5 s of this part are left | 0 |" in replaced


def test_a_step_that_ended_well_is_not_replaced_by_a_failure() -> None:
    bad = {"status": "failed", "seconds": 1.0, "figures": {}}
    found = enter.latest([_part(1, teacher=_ok(x=1)), _part(2, teacher=bad), _part(3, other=bad)])
    assert found == {"teacher": _ok(x=1), "other": bad}


def test_nothing_to_enter(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no part1\.json to part3\.json: run benchmarks/gpu/run\.sh"):
        enter.read_parts(tmp_path)
    rehearsal = _part(1) | {"rehearsal": True}
    with pytest.raises(SystemExit, match=r"part1\.json is of a rehearsal"):
        enter.read_parts(_write(tmp_path / "rehearsal", rehearsal))
