"""What a run of the workflow leaves on the screen last: the summary of a corpus, or the errors that ended the run."""

import atexit
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

STARTED = time.time()
ERROR = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ (error: .*)$")  # the first line of a UserError in the log of a job
INDENTED = "  "  # further lines of it


def show_summary(results: str) -> None:
    """Print the summary of a corpus whose metrics this run has written."""
    metrics = Path(results) / "metrics.json"
    if metrics.is_file() and metrics.stat().st_mtime >= STARTED:
        from unscribed.evaluation.summary import print_summary  # loads pandas

        print_summary(metrics, results)


def repeat_errors(logs: Sequence[str]) -> None:
    """Print the errors in Snakemake's logs once more when everything else is said, so that they end the output."""
    found = errors_in("\n".join(Path(log).read_text(encoding="utf-8", errors="replace") for log in logs))
    if found:
        atexit.register(lambda: print("", *found, sep="\n", file=sys.stderr))


def errors_in(text: str) -> list[str]:
    """Return the user's errors in a log, each once."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if match := ERROR.match(line):
            found.append(match[1])
        elif inside and line.startswith(INDENTED):
            found[-1] += f"\n{line}"
        inside = bool(match) or (inside and line.startswith(INDENTED))
    return list(dict.fromkeys(found))
