"""TIMIT in the two setups of wav2vec-U, with 39 phones folded from 61 symbols (Lee and Hon, 1989).

matched: 3,696 training utterances (without the dialect sentences SA) give the audio and, shuffled, the text; valid are
the 50 speakers of the usual development set, test the 24 of the core test set. unmatched: of the 4,620 training
utterances 3,000 give audio, 1,000 others text and 620 valid; test is the complete test set of 1,680.
This does not use lhotse's recipe, which has neither setup and imports torch (10 s): paths and PHN files are enough.
"""

import random
from collections.abc import Iterator
from pathlib import Path

from unscribed.artifacts import Pathlike
from unscribed.corpora.layout import (
    Corpus,
    DatasetSettings,
    Recording,
    Reference,
    References,
    existing_folder,
)
from unscribed.corpora.transcripts import spoken_words
from unscribed.errors import UserError
from unscribed.text.lines import read_lines
from unscribed.text.silence import SILENCE

SAMPLE_RATE_HZ = 16000  # the unit of the times in PHN files
KEY = "corpus.dataset.root"
# Of 4,620 utterances in the unmatched setup; shares, so that an incomplete TIMIT works too.
AUDIO_SHARE, TEXT_SHARE = 3000 / 4620, 1000 / 4620
DEV_SPEAKERS = (
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 "
    "mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 "
    "fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1"
)
CORE_TEST_SPEAKERS = (
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 "
    "mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0"
)


def make_corpus(*, settings: DatasetSettings, seed: int, phone_map: Pathlike) -> Corpus:
    """Find the recordings of the setup; the text is one utterance per sentence, as folded phones.

    `corpus.dataset.train`, `valid` and `test` may list speakers (lower case) instead of the usual ones (matched setup).
    Raises UserError if TIMIT is missing or incomplete, or a text file is configured.
    """
    if settings.text:
        raise UserError("corpus.dataset.text: TIMIT brings its own text (phones). Leave the key empty.")
    splits, text_paths = (_matched if settings.setup == "matched" else _unmatched)(settings, seed)
    rows = [Recording(_name(path), split, str(path)) for split, paths in splits.items() for path in paths]
    folded = read_phone_map(phone_map)
    lines = [" ".join(_phones(path, folded)[0]) for path in text_paths]
    if not any(lines):
        raise UserError(
            f"{KEY}: no text could be made from {settings.root}: it holds no utterance of the chosen speakers."
        )
    return Corpus(KEY, rows, [line for line in lines if line])


def make_references(*, settings: DatasetSettings, phone_map: Pathlike) -> References:
    """Read the hand-made alignments (PHN) and sentences (TXT) of all utterances."""
    folded = read_phone_map(phone_map)
    audio = [path for part in ("train", "test") for path in _audio(settings.root, part)]
    return References(KEY, (Reference(_name(path), _words(path), *_phones(path, folded)) for path in audio))


def read_phone_map(path: Pathlike) -> dict[str, str]:
    """Read the table from TIMIT's symbols to folded phones; an empty phone means that the symbol is dropped."""
    rows = [line.split("\t") for number, line in read_lines(path) if number > 1]
    return {row[0]: row[1] for row in rows}


def _matched(settings: DatasetSettings, seed: int) -> tuple[dict[str, list[Path]], list[Path]]:
    """The audio files by split, and those whose phones make the text: of the training utterances, shuffled."""
    train, test = (
        [path for path in _audio(settings.root, part) if not path.name.lower().startswith("sa")]
        for part in ("train", "test")
    )
    chosen = {
        "train": [path for path in train if not settings.train or _speaker(path) in settings.train],
        "valid": [path for path in test if _speaker(path) in (settings.valid or DEV_SPEAKERS.split())],
        "test": [path for path in test if _speaker(path) in (settings.test or CORE_TEST_SPEAKERS.split())],
    }
    text_paths = list(chosen["train"])
    random.Random(seed).shuffle(text_paths)  # the order of the lines must not pair text with audio
    return chosen, text_paths


def _unmatched(settings: DatasetSettings, seed: int) -> tuple[dict[str, list[Path]], list[Path]]:
    """The same for the unmatched setup: audio, text and valid are different training utterances."""
    paths = _audio(settings.root, "train")
    random.Random(seed).shuffle(paths)
    audio_end = round(len(paths) * AUDIO_SHARE)
    text_end = audio_end + round(len(paths) * TEXT_SHARE)
    splits = {"train": paths[:audio_end], "valid": paths[text_end:], "test": _audio(settings.root, "test")}
    return splits, paths[audio_end:text_end]


def _audio(root: str, part: str) -> list[Path]:
    """The audio files of TRAIN or TEST, whose names are in upper or lower case, depending on the copy."""
    folder = existing_folder(root, KEY)
    inner = [path for path in folder.iterdir() if path.name.lower() in ("data", "timit") and path.is_dir()]
    found = [path for base in (folder, *inner) for path in base.iterdir() if path.name.lower() == part]
    if not found:
        raise UserError(
            f"{KEY}: {folder} has no folder {part.upper()}. Point it at TIMIT's folder with TRAIN and TEST."
        )
    # Some copies hold SA1.WAV (NIST) and SA1.WAV.wav (RIFF) of the same utterance: one of them is enough.
    files = {_name(path): path for path in sorted(found[0].glob("*/*/*")) if path.suffix.lower() == ".wav"}
    return list(files.values())


def _speaker(path: Path) -> str:
    return path.parent.name.lower()


def _name(path: Path) -> str:
    return f"{_speaker(path)}-{path.name.split('.')[0].lower()}"


def _beside(path: Path, suffix: str) -> Path | None:
    stem = path.name.split(".")[0]
    candidates = (path.with_name(stem + ending) for ending in (suffix.upper(), suffix))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _words(path: Path) -> str:
    """Words of the TXT file: `first_sample last_sample sentence`."""
    file = _beside(path, ".txt")
    text = " ".join(line for _, line in read_lines(file)) if file else ""
    return " ".join(spoken_words(" ".join(text.split()[2:])))


def _phones(path: Path, folded: dict[str, str]) -> tuple[list[str], list[float], float]:
    """Folded phones, their starts and the end of the last (s); silence only between phones, merged if repeated."""
    file = _beside(path, ".phn")
    if file is None:
        raise UserError(f"{KEY}: {path} has no PHN file beside it. Unpack TIMIT again, with its alignments.")
    phones: list[tuple[str, float, float]] = []
    for start, end, phone in _segments(file, folded):
        if phone and not (phone == SILENCE and (not phones or phones[-1][0] == SILENCE)):
            phones.append((phone, start, end))
    if phones and phones[-1][0] == SILENCE:
        phones.pop()
    end = phones[-1][2] if phones else float("nan")
    return [phone for phone, _, _ in phones], [start for _, start, _ in phones], end


def _segments(file: Path, folded: dict[str, str]) -> Iterator[tuple[float, float, str]]:
    for number, line in read_lines(file):
        try:
            start, end, symbol = line.split()
            yield int(start) / SAMPLE_RATE_HZ, int(end) / SAMPLE_RATE_HZ, folded[symbol]
        except (ValueError, KeyError) as error:
            raise UserError(
                f"{file}, line {number}: {line!r} is not `start end phone` with one of TIMIT's {len(folded)} symbols. "
                "Restore the file from the original TIMIT."
            ) from error
