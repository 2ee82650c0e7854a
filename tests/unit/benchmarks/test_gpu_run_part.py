import json
import time
from pathlib import Path

import pytest
import run_part
from run_part import Row, bring

FAKES = {
    "good.py": """
        (work / "count").open("a").write("x")
        (work / "bring").mkdir(exist_ok=True)
        (work / "bring/model.bin").write_bytes(b"123")
        out.write_text(json.dumps({"speed": 2.5, "seconds": seconds}))
    """,
    "bad.py": """
        out.write_text(json.dumps({"half": 1}))
        sys.exit("no such luck")
    """,
    "slow.py": """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (work / "child").write_text(str(child.pid))
        child.wait()
    """,
}
HEAD = """
import json, signal, subprocess, sys
from pathlib import Path
values = dict(zip(sys.argv[1::2], sys.argv[2::2]))
work, out, seconds = Path(values["--work"]), Path(values["--out"]), float(values["--seconds"])
"""
GOOD, BAD, SLOW = (
    Row("good", "good.py", (1, 2), 20, 1),
    Row("bad", "bad.py", (1,), 20, 1),
    Row("slow", "slow.py", (1,), 2, 1),
)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name, body in FAKES.items():
        (folder / name).write_text(HEAD + "\n".join(line.strip() for line in body.splitlines()))
    return folder


def _run(scripts: Path, rows: list[Row], part: int = 1, seconds: float = 60.0) -> dict:
    folder = scripts.parent
    run_part.run_part(part, folder / "work", folder / "results", False, rows, scripts, seconds)
    return json.loads((folder / f"results/part{part}.json").read_text())


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_step_that_fails_or_hangs_does_not_stop_the_next(
    scripts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_part, "GRACE_SECONDS", 0.2)
    missing = Row("missing", "missing.py", (1,), 20, 1)
    late = Row("late", "good.py", (1,), 200, 100)
    steps = _run(scripts, [BAD, missing, SLOW, late, GOOD])["steps"]
    assert {name: step["status"] for name, step in steps.items()} == {
        "bad": "failed",
        "missing": "failed",
        "slow": "timed out",
        "late": "left out",
        "good": "ok",
    }
    assert steps["bad"]["log"] == ["no such luck"] and steps["bad"]["figures"] == {"half": 1}
    assert steps["missing"]["reason"] == "missing.py does not exist"
    assert steps["late"]["reason"].startswith("needs 100 s, and ")
    assert steps["good"]["figures"] == {"speed": 2.5, "seconds": 17}
    assert 2 <= steps["slow"]["seconds"] < 10
    assert "no such luck" in capsys.readouterr().out


def test_children_of_a_step_end_with_it(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_part, "GRACE_SECONDS", 0.2)
    _run(scripts, [SLOW])
    child = int((scripts.parent / "work/child").read_text())
    ends = time.monotonic() + 5
    while _alive(child) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _alive(child)


def test_a_step_that_ended_well_is_not_repeated(scripts: Path) -> None:
    first = _run(scripts, [BAD, GOOD])
    again = _run(scripts, [BAD, GOOD], part=1)
    other = _run(scripts, [BAD, GOOD], part=2)
    assert (scripts.parent / "work/count").read_text() == "x"
    assert again["steps"]["good"] == first["steps"]["good"] == other["steps"]["good"]
    assert list(other["steps"]) == ["good"]
    assert again["steps"]["bad"]["status"] == "failed"


def test_a_step_gets_no_more_than_what_the_part_has_left(scripts: Path) -> None:
    step = _run(scripts, [GOOD], seconds=15.0)["steps"]["good"]
    assert step["limit"] == pytest.approx(10, abs=0.5)  # 15 less what killing it may take


def test_files_that_are_brought_back(scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _run(scripts, [GOOD])
    assert (found["brought"], found["not_brought"]) == (["model.bin"], [])
    assert (tmp_path / "results/model.bin").read_bytes() == b"123"
    monkeypatch.setattr(run_part, "MOST_BYTES", 3)
    monkeypatch.setattr(run_part, "MOST_FILES", 2)
    folder = tmp_path / "many"
    (folder / "folder").mkdir(parents=True)
    for name, size in {"a": 3, "b": 4, "c": 1, "d": 1}.items():
        (folder / name).write_bytes(b"x" * size)
    brought, others = bring(folder, tmp_path / "few")
    assert brought == ["a", "c"] == sorted(path.name for path in (tmp_path / "few").iterdir())
    assert others == ["b: 4 bytes, more than 3", "d: more than 2 files", "folder: not a file"]


def test_the_cheapest_step_of_the_queue_in_a_rehearsal(tmp_path: Path) -> None:
    (row,) = (row for row in run_part.STEPS if row.name == "kmeans")
    record = run_part.run_step(row, 60.0, tmp_path, rehearse=True)
    assert record["status"] == "ok", record["log"]
    assert record["figures"]["cpu_frames_per_s"] > 0
    assert record["figures"]["gpu"].startswith("left out") or record["figures"]["gpu_x_cpu"] > 0


def test_the_steps_of_each_part_could_begin_within_its_time() -> None:
    for part in (1, 2, 3):
        rows = [row for row in run_part.STEPS if part in row.parts]
        assert rows and sum(row.least for row in rows) < run_part.PART_SECONDS
        assert all(row.least <= row.limit for row in rows)
