"""The kinds of corpora. Each has a module of its name in `unscribed.corpora`, which reads or synthesises it.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from dataclasses import dataclass
from typing import Literal

DATASET = "dataset"  # section of `corpus` that all published corpora share


@dataclass(frozen=True)
class Kind:
    """What the workflow must know of a kind before it starts.

    `section`: where its settings are, within `corpus`. `text`: the unpaired text is a file that the user names, or
    comes with the corpus as words or as phones. `speaks`: audio and references are synthesised together; otherwise the
    audio exists already.
    """

    section: str
    text: Literal["file", "words", "phones"]
    speaks: bool = False


# By their values of corpus.kind.
KINDS = {
    "espeak": Kind("espeak", "words", speaks=True),
    "hibari": Kind("hibari", "words", speaks=True),
    "asterisk": Kind("asterisk", "words"),
    "folder": Kind("folder", "file"),
    "librispeech": Kind(DATASET, "file"),
    "timit": Kind(DATASET, "phones"),
    "mls": Kind(DATASET, "file"),
    "commonvoice": Kind(DATASET, "file"),
}
