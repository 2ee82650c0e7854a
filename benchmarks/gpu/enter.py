"""Enter what the GPU queue measured into docs/results.md, in place of what an earlier run entered.

    python benchmarks/gpu/enter.py results/gpu

The folder holds part1.json to part3.json, or those of them that there are.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs/results.md"
HEADING = "## On a GPU"
Part = dict[str, Any]


def read_parts(folder: Path) -> list[Part]:
    """Read the results of all parts. Raises SystemExit if there are none, or if they are a rehearsal's."""
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("part?.json"))]
    if not parts:
        raise SystemExit(f"{folder} has no part1.json to part3.json: run benchmarks/gpu/run.sh 1, 2 and 3 first.")
    for part in parts:
        if part["rehearsal"]:
            raise SystemExit(f"{folder}/part{part['part']}.json is of a rehearsal, whose figures mean nothing.")
    return parts


def section(parts: list[Part]) -> str:
    """Write the section of docs/results.md: the runs, the status of every step, and the figures of each."""
    runs = [
        f"`{part['command']}` ({part['date']}, {part['machine']['gpu']}, {part['machine']['cores']} cores, Python "
        f"{part['machine']['python']}, {part['seconds']:.0f} s)"
        for part in parts
    ]
    steps = latest(parts)
    rows = [
        [name, step["status"] + (f": {step['reason']}" if "reason" in step else ""), f"{step['seconds']:.0f}"]
        for name, step in steps.items()
    ]
    lines = [HEADING, "", "; ".join(runs) + ":", "", *table(("step", "status", "seconds"), rows)]
    for name, step in steps.items():
        if step.get("figures"):
            figures = [[f"`{key}`", shown(value)] for key, value in step["figures"].items()]
            lines += ["", f"### {name}", "", *table(("figure", "value"), figures)]
    return "\n".join(lines) + "\n"


def latest(parts: list[Part]) -> dict[str, Part]:
    """Each step's last record; one that ended well is not replaced by one that did not."""
    found: dict[str, Part] = {}
    for part in parts:
        for name, step in part["steps"].items():
            if name not in found or found[name]["status"] != "ok" or step["status"] == "ok":
                found[name] = step
    return found


def table(heads: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [list(heads), ["---"] * len(heads), *cells]]


def shown(value: str | int | float) -> str:
    """A figure as text; whole numbers with commas."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def entered(page: str, new: str) -> str:
    """Replace the section of `page` by `new`, or add it at the end."""
    before, found, after = page.partition(f"\n{HEADING}\n")
    if not found:
        return f"{page.rstrip()}\n\n{new}"
    _, heading, rest = after.partition("\n## ")
    return f"{before}\n{new}{heading}{rest}"


def main() -> None:
    """Parse the command line and write docs/results.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where part1.json to part3.json are")
    parser.add_argument("--page", type=Path, default=PAGE, help="default: docs/results.md")
    arguments = parser.parse_args()
    page = entered(arguments.page.read_text(encoding="utf-8"), section(read_parts(arguments.folder)))
    temporary = arguments.page.with_name(f".{arguments.page.name}.new")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(arguments.page)
    print(f"{arguments.page} has the section {HEADING.removeprefix('## ')!r} now.", file=sys.stderr)


if __name__ == "__main__":
    main()
