"""Run the tests that need a GPU (pytest's marker `gpu`); one that is skipped on a machine with a GPU is a failure."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from step import ROOT, read_arguments

MARK = "@pytest.mark.gpu"


def marked_files() -> list[str]:
    """The test files with marked tests: the others need not be importable on this machine."""
    files = (ROOT / "tests/unit").rglob("test_*.py")
    return sorted(str(file.relative_to(ROOT)) for file in files if MARK in file.read_text(encoding="utf-8"))


def outcome(report: Path) -> dict[str, int]:
    """Counts of a JUnit report: tests that ran, were skipped, failed (errors included)."""
    suites = list(ElementTree.parse(report).iter("testsuite"))
    total = {key: sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "skipped", "failures", "errors")}
    return {
        "tests_run": total["tests"] - total["skipped"],
        "tests_skipped": total["skipped"],
        "tests_failed": total["failures"] + total["errors"],
    }


def main() -> None:
    """Run pytest, write the counts, and fail if a test failed or none ran."""
    step = read_arguments(__doc__)
    _ = step.device  # without a GPU all would be skipped
    report = step.work / "marked_tests.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", f"--junitxml={report}", "-q"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other packages of the machine bring some
    subprocess.run([*command, *marked_files()], cwd=ROOT, env=environment, check=False)
    if not report.exists():
        sys.exit("pytest ended without a report.")
    counts = outcome(report)
    step.write(counts | ({"note": "without a GPU the tests are only collected"} if step.rehearse else {}))
    if counts["tests_failed"]:
        sys.exit(f"{counts['tests_failed']} of the marked tests failed.")
    if not step.rehearse and (counts["tests_skipped"] or not counts["tests_run"]):
        sys.exit(f"{counts['tests_skipped']} of the marked tests were skipped, {counts['tests_run']} ran.")
    if step.rehearse and not counts["tests_run"] + counts["tests_skipped"]:
        sys.exit("no test is marked.")


if __name__ == "__main__":
    main()
