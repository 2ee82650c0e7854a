"""Multilingual LibriSpeech, one language: PART/audio/SPEAKER/BOOK/*.flac (or .opus) and PART/transcripts.txt.

This does not use lhotse's recipe, which opens every file and imports torch (10 s); here a list of paths is enough.
"""

from collections.abc import Iterator
from pathlib import Path

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
from unscribed.text.lines import read_lines

# Part of each split, unless the configuration lists others.
USUAL_PARTS = {"train": "train", "valid": "dev", "test": "test"}
KEY = "corpus.dataset.root"


def make_corpus(*, settings: DatasetSettings) -> Corpus:
    """Find the parts' recordings; the text is the user's. Raises UserError if root, a part or the text is missing."""
    rows = [
        Recording(path.stem, split, str(path))
        for split, folder in _parts(settings)
        for path in sorted((folder / "audio").glob("*/*/*"))
        if path.suffix in {".flac", ".opus"}
    ]
    return Corpus(KEY, rows, read_text(settings.text, "corpus.dataset.text"))


def make_references(*, settings: DatasetSettings) -> Transcripts:
    """Read the transcripts of all parts."""
    return Transcripts(KEY, _transcripts(settings))


def _transcripts(settings: DatasetSettings) -> Iterator[tuple[str, str]]:
    for _, folder in _parts(settings):
        for _, line in read_lines(folder / "transcripts.txt"):
            utterance, _, transcript = line.partition("\t")
            yield utterance, transcript


def _parts(settings: DatasetSettings) -> Iterator[tuple[str, Path]]:
    root = existing_folder(settings.root, KEY)
    for split, part in dataset_parts(settings, USUAL_PARTS):
        if not (root / part / "audio").is_dir():
            raise UserError(
                f"{KEY}: {root} has no folder {part}/audio. Point it at one language, such as mls_german from "
                f"https://www.openslr.org/94, or list the parts you have under corpus.dataset.{split}."
            )
        yield split, root / part
