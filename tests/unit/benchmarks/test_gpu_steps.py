import json
import subprocess
import sys
from pathlib import Path

import gan_at_once
import marked_tests
import pytest
from gan import ONE, PLAIN
from step import Step

ROOT = Path(__file__).parents[3]
REPORT = '<testsuites><testsuite tests="{}" skipped="{}" failures="{}" errors="{}"/></testsuites>'


@pytest.mark.parametrize(("tests", "status"), [((9, 0, 0, 0), 0), ((9, 1, 0, 0), 1), ((9, 0, 1, 0), 1), ((0,) * 4, 1)])
def test_marked_tests_that_did_not_run_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tests: tuple[int, ...], status: int
) -> None:
    def report(command: list[str], **_: object) -> None:
        (named,) = (word.partition("=")[2] for word in command if word.startswith("--junitxml="))
        Path(named).write_text(REPORT.format(*tests))

    monkeypatch.setattr(marked_tests.subprocess, "run", report)
    monkeypatch.setattr(Step, "device", "cuda")
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["step", "--seconds", "9", "--work", str(tmp_path), "--out", str(out)])
    if status:
        with pytest.raises(SystemExit, match=r"of the marked tests (failed|were skipped)"):
            marked_tests.main()
    else:
        marked_tests.main()
    assert json.loads(out.read_text())["tests_run"] == tests[0] - tests[1]


def test_marked_tests_are_found() -> None:
    files = marked_tests.marked_files()
    assert "tests/unit/ssl/test_encode.py" in files and "tests/unit/test_docs.py" not in files


def test_as_many_updates_as_fit_into_the_time() -> None:
    count = gan_at_once.updates_in(60.0, 2.0)
    spent = [2.0 * (1 + gan_at_once.REPEATS * pairs) for pairs in (count / 2, count / 2 + 1)]
    assert spent[0] <= 60 < spent[1] and count % 2 == 0
    assert gan_at_once.updates_in(1.0, 2.0) == 0
    assert gan_at_once.updates_in(1e6, 0.01) == gan_at_once.MOST_UPDATES


def test_ratios_are_taken_repeat_by_repeat() -> None:
    found = gan_at_once.figures_of({PLAIN: [1.0, 2.0], ONE: [2.0, 8.0], "16 runs": [20.0, 40.0]}, 16)
    assert (found["x_1_run"], found["x_1_run_lowest"], found["1_run_x_plain_lowest"]) == (7.5, 5.0, 2.0)
    assert (found["together_updates_per_s"], found["repeats"]) == (30.0, 2)


def test_without_a_gpu_a_step_says_so_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import step; step.read_arguments('x').device", "--seconds", "9"]
    found = subprocess.run(
        [*command, "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out.json")],
        cwd=ROOT / "benchmarks/gpu",
        env={"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.strip().splitlines()[-1].startswith("torch finds no GPU on this machine")
