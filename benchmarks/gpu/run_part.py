"""Run one part of the GPU queue: steps in order of value, each with its own time limit; write one file of results.

    python benchmarks/gpu/run_part.py 1 --work FOLDER --results FOLDER [--rehearse]

`run.sh` calls it. It uses nothing but the standard library, so that it runs before anything is unpacked. A step that
fails or takes too long does not stop the next; one that ended well is not repeated while its work folder lasts.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from environment import contents, unpack

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PART_SECONDS = 540.0  # commands on the machine are cut at 600, and what lies there then may be lost
REHEARSAL_SECONDS = 60.0  # limit of each step of a rehearsal
SHARE = 0.85  # of a step's limit: the time by which it sizes itself
GRACE_SECONDS = 5.0  # from asking a step to end until it is killed
LOG_LINES = 30
MOST_FILES, MOST_BYTES = 7, 16 * 2**20  # of the files that a part may bring back beside its own

Record = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A step of the queue: its script, the parts that try it, its limit, and the least time worth starting it for."""

    name: str
    script: str
    parts: tuple[int, ...]
    limit: float
    least: float


STEPS = (
    Row("imports", "imports.py", (1,), 60, 10),
    Row("marked_tests", "marked_tests.py", (1,), 120, 30),
    Row("gan_at_once", "gan_at_once.py", (1,), 80, 30),
    Row("extraction", "extraction.py", (1,), 70, 30),
    Row("kmeans", "kmeans.py", (1,), 30, 15),
    Row("speech", "speech.py", (1, 2), 170, 60),
    Row("teacher", "teacher.py", (1, 2), 120, 45),
    Row("pretrain", "pretrain.py", (2,), 520, 120),
    Row("pretrain_on", "pretrain.py", (3,), 520, 120),  # the second iteration, or what part 2 left of the first
)


def run_step(row: Row, seconds: float, work: Path, rehearse: bool, scripts: Path = HERE) -> Record:
    """Run a step for at most `seconds`, its children included; return its status, seconds, figures and log."""
    script, log, out = scripts / row.script, work / f"logs/{row.name}.log", work / f"figures/{row.name}.json"
    for path in (log, out):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    if not script.exists():
        return {"status": "failed", "reason": f"{script.name} does not exist", "seconds": 0.0}
    command = [sys.executable, str(script), "--work", str(work), "--out", str(out)]
    command += ["--seconds", f"{(10 if rehearse else SHARE * seconds):.0f}", *(["--rehearse"] if rehearse else [])]
    paths = [work / "site", ROOT / "workflow", ROOT / "benchmarks", os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(str(entry) for entry in paths if str(entry))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
    started = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        in_time = _wait(process, seconds)
    status = "ok" if process.returncode == 0 else "failed"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return {
        "status": status if in_time else "timed out",
        "seconds": round(time.monotonic() - started, 1),
        "limit": round(seconds, 1),
        "figures": json.loads(out.read_text(encoding="utf-8")) if out.exists() else {},
        "log": lines,
    }


def _wait(process: subprocess.Popen, seconds: float) -> bool:
    """Wait for a process, end it after `seconds`, and kill what is left of its group; return whether it was in time."""
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        return False
    finally:  # also if this program is interrupted
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def run_part(
    part: int,
    work: Path,
    results: Path,
    rehearse: bool,
    rows: Sequence[Row] = STEPS,
    scripts: Path = HERE,
    part_seconds: float = PART_SECONDS,
    started: float | None = None,
) -> Record:
    """Run the steps of a part, one after another; write part<N>.json after each, and return what it holds.

    `started` (time.monotonic) is when the part's time began.
    """
    started = time.monotonic() if started is None else started
    found: Record = {
        "part": part,
        "rehearsal": rehearse,
        "date": date.today().isoformat(),
        "command": f"benchmarks/gpu/run.sh {'--rehearse' if rehearse else part}",
        "machine": {"gpu": gpu_name(), "cores": os.cpu_count(), "python": platform.python_version()},
        "packages": contents(work),
        "steps": {},
    }
    for row in (row for row in rows if part in row.parts):
        left = part_seconds - GRACE_SECONDS - (time.monotonic() - started)
        record = _run_or_reuse(row, left, work, rehearse, scripts)
        found["steps"][row.name] = record
        print(f"{row.name}: {record['status']}, {record['seconds']:.0f} s", record.get("reason", ""), flush=True)
        for line in record.get("log", [])[-8:] if record["status"] != "ok" else []:
            print(f"    {line}", flush=True)
        found["brought"], found["not_brought"] = bring(work / "bring", results)
        found["seconds"] = round(time.monotonic() - started, 1)
        write_json(results / f"part{part}.json", found)
    return found


def _run_or_reuse(row: Row, left: float, work: Path, rehearse: bool, scripts: Path) -> Record:
    """Run a step if it has not ended well before and `left` seconds are enough."""
    kept = work / f"steps/{row.name}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    if left < row.least:
        reason = f"needs {row.least:.0f} s, and {max(0, left):.0f} s of this part are left"
        return {"status": "left out", "reason": reason, "seconds": 0.0}
    record = run_step(row, min(REHEARSAL_SECONDS if rehearse else row.limit, left), work, rehearse, scripts)
    if record["status"] == "ok":
        write_json(kept, record)
    return record


def bring(folder: Path, results: Path) -> tuple[list[str], list[str]]:
    """Copy the files of `folder` to `results`; return the names of those copied, and of others with the reason."""
    brought: list[str] = []
    others: list[str] = []
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        if not path.is_file():
            others.append(f"{path.name}: not a file")
        elif path.stat().st_size > MOST_BYTES:
            others.append(f"{path.name}: {path.stat().st_size} bytes, more than {MOST_BYTES}")
        elif len(brought) == MOST_FILES:
            others.append(f"{path.name}: more than {MOST_FILES} files")
        else:
            results.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, results / path.name)
            brought.append(path.name)
    return brought, others


def write_json(path: Path, value: Any) -> None:
    """Write JSON under a temporary name first, so that a killed run leaves no half of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def gpu_name() -> str:
    """The name of the first GPU, or "none"."""
    if not (program := shutil.which("nvidia-smi")):
        return "none"
    asked = [program, "--query-gpu=name", "--format=csv,noheader"]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    return answer.stdout.strip().partition("\n")[0] or "none"


def main() -> None:
    """Parse the command line, unpack the packages, run the part; status 1 unless every step ended well."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a step does not outlive this program
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", type=int, choices=sorted({part for row in STEPS for part in row.parts}))
    parser.add_argument("--work", type=Path, required=True, help="folder that the parts share")
    parser.add_argument("--results", type=Path, required=True, help="where part<N>.json and brought files are put")
    parser.add_argument("--rehearse", action="store_true", help="tiny sizes on the CPU")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    unpack(HERE / "packed", work)
    found = run_part(arguments.part, work, arguments.results.resolve(), arguments.rehearse, started=started)
    for name in found["not_brought"]:
        print(f"not brought back: {name}")
    sys.exit(any(record["status"] != "ok" for record in found["steps"].values()))


if __name__ == "__main__":
    main()
