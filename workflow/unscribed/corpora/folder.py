"""The user's own data: a folder of audio, a text file and, for evaluation only, a list of transcripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from unscribed.artifacts import Pathlike
from unscribed.audio.io import AUDIO_SUFFIXES
from unscribed.audio.vad import VadSettings
from unscribed.corpora.cutting import CutSettings, cut_long
from unscribed.corpora.layout import (
    Corpus,
    Recording,
    Transcripts,
    check_fractions,
    existing_folder,
    hash_split,
    read_text,
)
from unscribed.errors import UserError
from unscribed.tables import CutTable
from unscribed.text.lines import read_lines


@dataclass(frozen=True)
class FolderSettings:
    """Section `corpus.folder` of the configuration."""

    audio: str
    text: str
    transcripts: str
    cut: bool
    valid_fraction: float
    test_fraction: float


def make_corpus(
    *,
    settings: FolderSettings,
    audio: Pathlike | None = None,
    cutting: CutSettings | None = None,
    vad: VadSettings | None = None,
    sample_rate_hz: int = 0,
    threads: int = 1,
) -> Corpus:
    """Find the audio files below a folder; the text is the user's.

    With `settings.cut` and a folder `audio` for the pieces, long recordings are cut into utterances. The split of an
    utterance depends on its name alone. Raises UserError if folder, audio or text are missing.
    """
    check_fractions(settings.valid_fraction, settings.test_fraction, "corpus.folder")
    root = existing_folder(settings.audio, "corpus.folder.audio")
    files = [(utterance_name(path.relative_to(root)), str(path)) for path in audio_files(root)]
    if not files:
        known = " ".join(sorted(AUDIO_SUFFIXES))
        raise UserError(f"corpus.folder.audio: no audio files below {root}. Known suffixes: {known}.")
    cuts = CutTable()
    if settings.cut and audio and cutting and vad:
        files, cuts = cut_long(files, audio, cutting, vad, sample_rate_hz, threads)
    fractions = settings.valid_fraction, settings.test_fraction
    rows = [Recording(name, hash_split(name, *fractions), path) for name, path in files]
    return Corpus("corpus.folder", rows, read_text(settings.text, "corpus.folder.text"), cuts=cuts)


def make_references(*, settings: FolderSettings) -> Transcripts:
    """Read the user's transcripts. Raises UserError for a malformed list."""
    if not settings.transcripts:
        raise UserError("corpus.folder.transcripts is empty: set it to a TSV of file and transcript to be evaluated.")
    return Transcripts("corpus.folder.transcripts", read_transcripts(settings.transcripts))


def audio_files(root: Path) -> Iterator[Path]:
    """Yield the audio files below `root`, sorted; hidden files are left out."""
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file():
            yield path


def utterance_name(file: PurePath) -> str:
    """Name an utterance by its path below the corpus folder: without suffix, with `-` for `/`."""
    return "-".join(file.with_suffix("").parts)


def read_transcripts(path: str) -> Iterator[tuple[str, str]]:
    """Yield (utterance, transcript) of a TSV of file (relative to the audio folder) and transcript.

    A first line `file<TAB>transcript` is a header. Raises UserError, naming the line, where there is no tab.
    """
    for number, line in read_lines(path):
        if not line.strip() or (number == 1 and line.split("\t")[0] == "file"):
            continue
        file, tab, transcript = line.partition("\t")
        if not tab:
            raise UserError(
                f"corpus.folder.transcripts: {path}, line {number} has no tab. Write `file<TAB>transcript`, "
                "with the file relative to corpus.folder.audio."
            )
        yield utterance_name(PurePath(file.strip())), transcript
