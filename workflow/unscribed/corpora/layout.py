"""What every corpus reader returns, writing it, and helpers that readers share.

The unsupervised stages read recordings and text only. References come from functions of their own, so that a workflow
can build and run everything else without them.
"""

import gzip
import hashlib
import logging
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from unscribed.artifacts import Pathlike, atomic_path
from unscribed.errors import UserError
from unscribed.tables import CutTable, RecordingTable, ReferenceTable
from unscribed.text.lines import read_lines

SPLITS = ("train", "valid", "test")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetSettings:
    """Section `corpus.dataset`: the folder of LibriSpeech, TIMIT, MLS or Common Voice, and the parts to use."""

    root: str
    text: str
    train: list[str]
    valid: list[str]
    test: list[str]
    setup: str


class Recording(NamedTuple):
    """One audio file of a corpus; `split` is one of SPLITS."""

    utterance: str
    split: str
    path: str


class Reference(NamedTuple):
    """The words of an utterance and, where known, its phones with their starts and the last one's end (seconds)."""

    utterance: str
    words: str
    phones: Sequence[str] = ()
    starts_seconds: Sequence[float] = ()
    end_seconds: float = float("nan")


@dataclass(frozen=True)
class References:
    """References in any order; `source` is the configuration key that leads to them, for messages."""

    source: str
    rows: Iterable[Reference]


@dataclass(frozen=True)
class Transcripts:
    """Transcripts where only words are known: (utterance, transcript) in any order; `source` as in References."""

    source: str
    rows: Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Corpus:
    """Recordings, and the sentences of the unpaired text.

    `source` is the configuration key that leads to the recordings, for messages. Only a synthesiser sets `references`,
    which are known once it has spoken. `cuts`: the pieces of long recordings, if the reader cuts them.
    """

    source: str
    recordings: Sequence[Recording]
    sentences: Iterable[str]
    references: References | None = None
    cuts: CutTable = field(default_factory=CutTable)


def write_text(path: Pathlike, sentences: Iterable[str]) -> None:
    """Write the unpaired text, one sentence per line."""
    count = 0
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as output:
        for sentence in sentences:
            output.write(f"{sentence}\n")
            count += 1
    log.info("text: %d sentences", count)


def write_recordings(path: Pathlike, rows: Sequence[Recording], source: str) -> None:
    """Write the table of recordings, sorted by split and utterance.

    Raises UserError, naming `source` (a configuration key), if a split is empty or two files get the same name.
    """
    twice = [name for name, count in Counter(row.utterance for row in rows).items() if count > 1]
    if twice:
        files = ", ".join(row.path for row in rows if row.utterance == twice[0])
        raise UserError(f"{source}: {len(twice)} utterance names are used twice, for example {files}. Rename one file.")
    counts = Counter(row.split for row in rows)
    if missing := [split for split in SPLITS if not counts[split]]:
        raise UserError(
            f"{source}: no recordings for {', '.join(missing)} (of {len(rows)} files found). "
            "Add files, or raise the fraction or list other parts for that split."
        )
    rows = sorted(rows, key=lambda row: (SPLITS.index(row.split), row.utterance))
    RecordingTable.from_rows(rows).write(path)
    log.info("recordings: %s", ", ".join(f"{counts[split]} {split}" for split in SPLITS))


def write_split_references(recordings: Pathlike, references: References, outputs: Mapping[str, Pathlike]) -> None:
    """Write the references of every split, sorted; those of utterances that are not among the recordings are ignored.

    `outputs` maps each split to its file. Raises UserError if no reference belongs to any recording.
    """
    source = references.source
    table = RecordingTable.read(recordings)
    split_of = dict(zip(table["utterance"], table["split"], strict=True))
    rows: dict[str, list[Reference]] = {split: [] for split in SPLITS}
    unknown = 0
    for reference in references.rows:
        if split := split_of.get(reference.utterance):
            rows[split].append(reference)
        else:
            unknown += 1
    found = sum(map(len, rows.values()))
    if not found:
        raise UserError(
            f"{source}: none of the {unknown} transcripts names a recording of the corpus. Check the names."
        )
    if found < len(split_of):
        log.warning("%s: %d of %d recordings have no transcript", source, len(split_of) - found, len(split_of))
    for split in SPLITS:
        ordered = sorted(rows[split], key=lambda row: row.utterance)
        ReferenceTable.from_rows(ordered).write(outputs[split])


def hash_split(utterance: str, valid_fraction: float, test_fraction: float) -> str:
    """Choose a split by a hash of the name, so that adding files moves no other file to another split."""
    place = int.from_bytes(hashlib.sha256(utterance.encode()).digest()[:8], "big") / 2**64
    if place < test_fraction:
        return "test"
    return "valid" if place < test_fraction + valid_fraction else "train"


def check_fractions(valid_fraction: float, test_fraction: float, key: str) -> None:
    """Raise UserError, naming the section `key`, if the fractions leave nothing for training."""
    if valid_fraction + test_fraction >= 1:
        raise UserError(
            f"{key}.valid_fraction and test_fraction add up to {valid_fraction + test_fraction:g}: "
            "lower them, so that the rest is left for training."
        )


def existing_folder(path: str, key: str) -> Path:
    """Return the folder that the key `key` names. Raises UserError if the key is empty or the folder is missing."""
    if not path:
        raise UserError(f"{key} is empty: set it to the folder of the corpus.")
    if not Path(path).is_dir():
        raise UserError(f"{key}: the folder {path} does not exist. Correct the path or unpack the corpus there.")
    return Path(path).resolve()


def dataset_parts(settings: DatasetSettings, usual: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (split, part of the corpus) as the configuration lists them, or else the `usual` part of the split."""
    for split in SPLITS:
        for part in getattr(settings, split) or [usual[split]]:
            yield split, part


def read_text(source: str, key: str) -> Iterator[str]:
    """Yield the non-empty lines of the user's text (UTF-8, also gzipped); `key` is its configuration key.

    Raises UserError if the key is empty, or the file is missing, damaged, not UTF-8 or without any text.
    """
    if not source:
        raise UserError(
            f"{key} is empty: set it to a UTF-8 text file with one sentence per line, unrelated to the audio."
        )
    if not Path(source).is_file():
        raise UserError(f"{key}: the file {source} does not exist. Correct the path.")
    lines = _gzip_lines(source) if source.endswith(".gz") else (line for _, line in read_lines(source))
    empty = True
    for line in lines:
        if sentence := line.strip():
            empty = False
            yield sentence
    if empty:
        raise UserError(f"{key}: {source} holds no text. Give a UTF-8 file with one sentence per line.")


def _gzip_lines(source: str) -> Iterator[str]:
    try:
        with gzip.open(source, "rt", encoding="utf-8") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8 inside ({error.reason}). Convert it with `iconv -t UTF-8`.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{source} is not a complete gzip file ({error}). Copy it again, or gunzip it.") from error
