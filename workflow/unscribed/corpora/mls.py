"""Multilingual LibriSpeech, one language: PART/audio/SPEAKER/BOOK/*.flac (or .opus) and PART/transcripts.txt.

A plain reader of our own: lhotse's recipe opens every file and imports torch (10 s), where a list of paths is enough.
"""

from collections.abc import Iterator
from pathlib import Path

from unscribed.artifacts import Pathlike
from unscribed.corpora.layout import (
    DatasetSettings,
    Recording,
    copy_text,
    dataset_parts,
    existing_folder,
    write_recordings,
    write_split_references,
)
from unscribed.corpora.transcripts import word_references
from unscribed.errors import UserError
from unscribed.text.lines import read_lines

USUAL = {"train": "train", "valid": "dev", "test": "test"}
KEY = "corpus.dataset.root"


def mls_corpus(*, settings: DatasetSettings, recordings: Pathlike, text: Pathlike) -> None:
    """List the parts' recordings and copy the text. Raises UserError if root, a part or the text is missing."""
    rows = [
        Recording(path.stem, split, str(path))
        for split, folder in _parts(settings)
        for path in sorted((folder / "audio").glob("*/*/*"))
        if path.suffix in {".flac", ".opus"}
    ]
    copy_text(settings.text, text, "corpus.dataset.text")
    write_recordings(recordings, rows, KEY)


def write_mls_references(
    *, settings: DatasetSettings, language: str, recordings: Pathlike, outputs: dict[str, Pathlike]
) -> None:
    """Phonemize the transcripts and write the references of each split."""
    write_split_references(recordings, word_references(_transcripts(settings), language), outputs, KEY)


def _transcripts(settings: DatasetSettings) -> Iterator[tuple[str, str]]:
    for _, folder in _parts(settings):
        for _, line in read_lines(folder / "transcripts.txt"):
            utterance, _, transcript = line.partition("\t")
            yield utterance, transcript


def _parts(settings: DatasetSettings) -> Iterator[tuple[str, Path]]:
    root = existing_folder(settings.root, KEY)
    for split, part in dataset_parts(settings, USUAL):
        if not (root / part / "audio").is_dir():
            raise UserError(
                f"{KEY}: {root} has no folder {part}/audio. Point it at one language, such as mls_german from "
                f"https://www.openslr.org/94, or list the parts you have under corpus.dataset.{split}."
            )
        yield split, root / part
