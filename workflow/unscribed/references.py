"""The one reader of transcripts.

Only the evaluation, its figures, and what learns from transcripts on purpose (`supervised`, `ctc`) may import this
module; a test holds that. Whatever learns without labels cannot come by them except through a file that someone else
gave it, which the graph of jobs shows.
"""

import unicodedata

import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.tables import ReferenceTable


def read_references(path: Pathlike) -> pd.DataFrame:
    """What was said in the utterances of one split. Raises UserError if `path` is missing, damaged or another table."""
    return ReferenceTable.read(path)


def transcripts(path: Pathlike) -> dict[str, str]:
    """Transcript of each utterance, in Unicode's composed form; empty where the words are unknown."""
    table = read_references(path)
    return {row.utterance: unicodedata.normalize("NFC", row.words) for row in table.itertuples()}
