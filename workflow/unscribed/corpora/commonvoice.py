"""Mozilla Common Voice, one language: clips/*.mp3 and train.tsv, dev.tsv, test.tsv with columns path and sentence.

This does not use lhotse's recipe, which opens every clip and imports torch (10 s); here a list of paths is enough.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from unscribed.corpora.layout import (
    Corpus,
    DatasetSettings,
    Recording,
    Transcripts,
    dataset_parts,
    existing_folder,
    read_text,
)
from unscribed.errors import UserError

# Part of each split, unless the configuration lists others.
USUAL_PARTS = {"train": "train", "valid": "dev", "test": "test"}
KEY = "corpus.dataset.root"


def make_corpus(*, settings: DatasetSettings) -> Corpus:
    """Find the clips of all parts, reading the column `path` alone; the text is the user's.

    Raises UserError if the root, a part's table, the folder of clips or the text is missing. The stage manifest checks
    the clips themselves.
    """
    clips = existing_folder(settings.root, KEY) / "clips"
    if not clips.is_dir():
        raise UserError(f"{KEY}: there is no folder {clips}. Point it at one language, the folder that holds clips.")
    rows = [
        Recording(Path(clip).stem, split, str(clips / clip))
        for split, table in _tables(settings, ["path"])
        for clip in table["path"]
    ]
    return Corpus(KEY, rows, read_text(settings.text, "corpus.dataset.text"))


def make_references(*, settings: DatasetSettings) -> Transcripts:
    """Read the sentences of all parts."""
    sentences = (
        (Path(clip).stem, sentence)
        for _, table in _tables(settings, ["path", "sentence"])
        for clip, sentence in zip(table["path"], table["sentence"], strict=True)
    )
    return Transcripts(KEY, sentences)


def _tables(settings: DatasetSettings, columns: list[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    root = existing_folder(settings.root, KEY)
    for split, part in dataset_parts(settings, USUAL_PARTS):
        path = root / f"{part}.tsv"
        try:
            # Sentences hold unpaired quotes, and words such as "null" that must stay words.
            table = pd.read_csv(
                path, sep="\t", usecols=columns, dtype=str, quoting=csv.QUOTE_NONE, keep_default_na=False
            )
        except FileNotFoundError as error:
            raise UserError(
                f"{KEY}: {path} does not exist. Point it at one language's folder, with train.tsv, dev.tsv and "
                f"test.tsv, or list the tables you have under corpus.dataset.{split}."
            ) from error
        except ValueError as error:  # pandas raises it, or a subclass, for absent columns and broken lines alike
            raise UserError(f"{path} is not a Common Voice table with path and sentence ({error}).") from error
        yield split, table
