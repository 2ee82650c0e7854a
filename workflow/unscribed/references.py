"""The only reader of transcripts.

Only `evaluation`, `figures`, and the rooms that learn from transcripts on purpose (`supervised`, `ctc`) may import this
module; `make lint` checks that. Any other room could get transcripts only through an input file of its job, which a
test of the graph of jobs would find.
"""

import unicodedata

import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.tables import ReferenceTable


def read_references(path: Pathlike) -> pd.DataFrame:
    """Read the references of one split. Raises UserError if `path` is missing, damaged or another table."""
    return ReferenceTable.read(path)


def transcripts(path: Pathlike) -> dict[str, str]:
    """Read the transcript of each utterance, in Unicode's composed form (NFC); empty where the words are unknown."""
    table = read_references(path)
    return {row.utterance: unicodedata.normalize("NFC", row.words) for row in table.itertuples()}
