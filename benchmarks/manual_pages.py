"""Make the sentences of manual pages into a text file: unrelated text in some thirty languages, from Debian's packages.

    apt-get download manpages-es && dpkg -x manpages-es_*.deb pages
    python benchmarks/manual_pages.py pages/usr/share/man/es text.txt

Clauses of 4 to 15 words without digits, commands or markup, each of them once, in the order of a hash of their letters.
What was never translated, which English words tell, is left out.
"""

import argparse
import gzip
import re
import sys
import zlib
from pathlib import Path

FONTS = re.compile(r"\\f(\[[^]]*\]|\(..|.)|\\[&/,|^ ]|\\s[-+]?\d")
CHARACTERS = {r"\-": "-", r"\(co": "", r"\(aq": "'", r"\(dq": '"', r"\~": " ", r"\e": "\\", r"\(em": ",", r"\(en": ","}
CLAUSES = re.compile(r"[.,;:!?()«»\"“”–—]+")
FEWEST_WORDS, MOST_WORDS = 4, 15
ENGLISH = {"the", "of", "is", "and", "with", "this", "are", "or", "by", "when"}


def paragraphs(source: str) -> list[str]:
    """Return the running text of a page in roff: neighbouring lines that are neither requests nor comments."""
    found, lines = [], []
    for line in source.splitlines():
        if line.startswith((".", "'")):
            found.append(" ".join(lines))
            lines = []
        else:
            lines.append(line)
    return [*found, " ".join(lines)]


def clauses(paragraph: str) -> list[str]:
    """Return the clauses of a paragraph that have words alone, in lower case."""
    for written, meant in CHARACTERS.items():
        paragraph = paragraph.replace(written, meant)
    parts = (part.lower().split() for part in CLAUSES.split(FONTS.sub("", paragraph)))
    return [" ".join(words) for words in parts if FEWEST_WORDS <= len(words) <= MOST_WORDS and is_language(words)]


def is_language(words: list[str]) -> bool:
    """Tell whether words have letters alone, and are not English."""
    return all(re.sub("['’]|(?<!^)-", "", word).isalpha() for word in words) and not ENGLISH & set(words)


def main() -> None:
    """Parse the command line, read all pages and write the text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, help="folder of the pages of one language (*.gz)")
    parser.add_argument("text", type=Path, help="file to write")
    arguments = parser.parse_args()
    found = set()
    for page in sorted(arguments.pages.rglob("*.gz")):
        source = gzip.decompress(page.read_bytes()).decode("utf-8", errors="replace")
        found.update(clause for paragraph in paragraphs(source) for clause in clauses(paragraph))
    if not found:
        sys.exit(f"error: no clause of {FEWEST_WORDS} to {MOST_WORDS} words in the pages (*.gz) of {arguments.pages}.")
    arguments.text.write_text("\n".join(sorted(found, key=lambda clause: zlib.crc32(clause.encode()))) + "\n")
    print(f"{len(found)} clauses")


if __name__ == "__main__":
    main()
