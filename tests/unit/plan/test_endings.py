import os
from pathlib import Path

import pytest

from unscribed.artifacts import write_json
from unscribed.plan.endings import STARTED, errors_in, show_summary

LOG = """[Tue Dec  1 00:54:20 2026]
Error in rule manifest_split:
2026-12-01 00:54:20,426 bad file: a.wav is damaged
2026-12-01 00:54:20,427 error: 1 of the 4 files of split train cannot be used.
  a.wav is damaged or not audio.
  b.wav is silent.
RuleException:
  of Snakemake
Logfile results/a/logs/manifest.train.log:
2026-12-01 00:54:20,427 error: 1 of the 4 files of split train cannot be used.
  a.wav is damaged or not audio.
  b.wav is silent.
2026-12-01 00:54:21,000 error: another one.
"""


def test_errors_are_found_once_with_all_their_lines() -> None:
    first = (
        "error: 1 of the 4 files of split train cannot be used.\n  a.wav is damaged or not audio.\n  b.wav is silent."
    )
    assert errors_in(LOG) == [first, "error: another one."]
    assert errors_in("WorkflowError:\nAt least one job did not complete successfully.") == []


def test_the_summary_is_of_this_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(str(tmp_path))
    write_json(tmp_path / "metrics.json", {"audio.hours": 1.5})
    os.utime(tmp_path / "metrics.json", (STARTED - 10, STARTED - 10))
    show_summary(str(tmp_path))
    assert capsys.readouterr().out == ""
    os.utime(tmp_path / "metrics.json", (STARTED + 10, STARTED + 10))
    show_summary(str(tmp_path))
    assert "1.50 h" in capsys.readouterr().out
