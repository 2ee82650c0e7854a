"""The phone inventory: `<SIL>`, then the phones of the text, one per line; lines are numbered from 0 everywhere."""

from collections.abc import Sequence

from unscribed.artifacts import Pathlike, write_lines
from unscribed.text.lines import read_lines


def write_inventory(path: Pathlike, phones: Sequence[str]) -> None:
    """Write the phones, `<SIL>` first, atomically."""
    write_lines(path, phones)


def read_inventory(path: Pathlike) -> list[str]:
    """Read the phones in their order, `<SIL>` first. Raises UserError if the file is missing or not UTF-8."""
    return [phone for _, line in read_lines(path) if (phone := line.strip())]
