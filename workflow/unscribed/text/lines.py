"""Read text files line by line; tell the user where they are not UTF-8."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from unscribed.errors import UserError

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # the first bytes of such files


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 text file; a byte order mark is skipped.

    Raises UserError, naming line and byte offset, if the file is missing or not UTF-8.
    """
    path = Path(path)
    offset = 0
    with _open(path) as file:
        for number, raw in enumerate(file, start=1):
            if number == 1 and raw.startswith(UTF16_MARKS):
                raise _wrong_encoding(path, 1, 0, "UTF-16")
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, number, offset + error.start, "LATIN1") from error
            if "\0" in line:  # UTF-16 without a mark decodes as UTF-8 with a zero byte beside each letter
                raise _wrong_encoding(path, number, offset + raw.index(b"\0"), "UTF-16")
            offset += len(raw)
            yield number, line.rstrip("\r\n")


def _open(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        remedy = "Check that it exists and that its path in the configuration is right."
        raise UserError(f"cannot read the text file {path}: {error.strerror}. {remedy}") from error


def _wrong_encoding(path: Path, line: int, offset: int, guess: str) -> UserError:
    return UserError(
        f"{path}, line {line} (byte {offset} of the file) is not UTF-8. Convert the file, "
        f"for example with `iconv -f {guess} -t UTF-8 {path.name} > utf8.txt`."
    )
