"""The kinds of corpora. Each has a module of its name in `unscribed.corpora`, which reads or speaks it.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from dataclasses import dataclass
from typing import Literal

DATASET = "dataset"


@dataclass(frozen=True)
class Kind:
    """What is known of a kind before any work.

    `section` of `corpus` has its settings. The unpaired text is a file that the user names, or comes with the corpus,
    as words or as phones. Who `speaks` makes audio and references at once; others read audio that is there.
    """

    section: str
    text: Literal["file", "words", "phones"]
    speaks: bool = False


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
