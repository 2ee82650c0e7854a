"""LibriSpeech (and corpora laid out like it): PART/SPEAKER/CHAPTER/*.flac beside one *.trans.txt per chapter.

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
USUAL_PARTS = {"train": "train-clean-100", "valid": "dev-clean", "test": "test-clean"}
KEY = "corpus.dataset.root"


def make_corpus(*, settings: DatasetSettings) -> Corpus:
    """Find the parts' recordings; the text is the user's. Raises UserError if root, a part or the text is missing."""
    rows = [
        Recording(path.stem, split, str(path))
        for split, folder in _parts(settings)
        for path in sorted(folder.glob("*/*/*.flac"))
    ]
    return Corpus(KEY, rows, read_text(settings.text, "corpus.dataset.text"))


def make_references(*, settings: DatasetSettings) -> Transcripts:
    """Read the transcripts of all parts."""
    return Transcripts(KEY, _transcripts(settings))


def _transcripts(settings: DatasetSettings) -> Iterator[tuple[str, str]]:
    for _, folder in _parts(settings):
        for path in sorted(folder.glob("*/*/*.trans.txt")):
            for _, line in read_lines(path):
                utterance, _, transcript = line.partition(" ")
                yield utterance, transcript


def _parts(settings: DatasetSettings) -> Iterator[tuple[str, Path]]:
    root = existing_folder(settings.root, KEY)
    if (root / "LibriSpeech").is_dir():  # the folder inside the archives
        root = root / "LibriSpeech"
    for split, part in dataset_parts(settings, USUAL_PARTS):
        if not (root / part).is_dir():
            raise UserError(
                f"{KEY}: {root} has no part {part}. Download it from https://www.openslr.org/12, "
                f"or list the parts you have under corpus.dataset.{split}."
            )
        yield split, root / part
