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
    audio exists already, below the folder that the key `audio` of the section names. `speaker_level`: which folder
    above a recording is its speaker's, 1 the one that it lies in; 0 where folders do not tell.
    """

    section: str
    text: Literal["file", "words", "phones"]
    speaks: bool = False
    audio: str = ""
    speaker_level: int = 0


# By their values of corpus.kind.
KINDS = {
    "espeak": Kind("espeak", "words", speaks=True),
    "hibari": Kind("hibari", "words", speaks=True),
    "asterisk": Kind("asterisk", "words", audio="sounds"),
    "folder": Kind("folder", "file", audio="audio", speaker_level=1),
    "librispeech": Kind(DATASET, "file", audio="root", speaker_level=2),
    "timit": Kind(DATASET, "phones", audio="root", speaker_level=1),
    "mls": Kind(DATASET, "file", audio="root", speaker_level=2),
    "commonvoice": Kind(DATASET, "file", audio="root"),
}
