"""Reading what the word decoding has written, and the tables of the same utterances beside it."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from unscribed.artifacts import Pathlike, read_table
from unscribed.errors import UserError

NO_PATH = "no_path"  # status of an utterance for which the decoder found nothing
WORDS_SCHEMA = [
    ("utterance", pa.string()),
    ("words", pa.list_(pa.string())),
    ("word_starts_frames", pa.list_(pa.int64())),
    ("word_frames", pa.list_(pa.int64())),
    ("word_confidences", pa.list_(pa.float64())),
    ("phones", pa.list_(pa.string())),
    ("starts_frames", pa.list_(pa.int64())),
    ("frames", pa.int64()),
    ("nbest", pa.list_(pa.string())),
    ("nbest_scores", pa.list_(pa.float64())),
    ("status", pa.string()),
]


def read_words(path: Pathlike) -> pd.DataFrame:
    """Read a table of the word decoding. Raises UserError if it is missing, damaged or another table."""
    table = read_table(path)
    if missing := [name for name, _ in WORDS_SCHEMA if name not in table.columns]:
        raise UserError(
            f"{path} has no column {missing[0]}: it is no table of the word decoding, or of another version. "
            "Delete it and run the stage words again."
        )
    return table


def read_beside(path: Pathlike, utterances: Iterable[str], words: Pathlike) -> pd.DataFrame:
    """Read a table indexed by utterance that must know all `utterances` of the table `words`.

    Raises UserError if it lacks one: the two files come from different runs.
    """
    table = read_table(path).set_index("utterance")
    if missing := [name for name in utterances if name not in table.index]:
        raise UserError(
            f"{path} lacks {len(missing)} utterances of {words}, for example {missing[0]}: the two come from different "
            f"runs. Delete {words} and run its stage again."
        )
    return table
