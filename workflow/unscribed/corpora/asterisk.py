"""Debian's telephone prompts, read by Allison Smith: real speech in a small package, with transcripts.

The recordings are G.722 at 16 kHz (package asterisk-core-sounds-en-g722); the transcripts are in the documentation of
the package asterisk-core-sounds-en. The unpaired text is from the Bible, so speech and text differ in domain.
"""

import gzip
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unscribed.corpora.bible import clauses
from unscribed.corpora.folder import utterance_name
from unscribed.corpora.layout import Corpus, Recording, Transcripts, check_fractions
from unscribed.errors import UserError

MIN_WORDS, MAX_WORDS = 2, 12  # per sentence of the text: most prompts are short
# Prompts without speech, named here so that choosing the audio needs no transcript; the others are in silence/.
NOT_SPEECH = frozenset(
    {"ascending-2tone", "beep", "beeperr", "confbridge-join", "confbridge-leave", "descending-2tone", "tt-monkeys"}
)
ASIDE = re.compile(r"\[[^]]*\]|\([^)]*\)|<[^>]*>")  # descriptions of sounds and remarks, which nobody reads out
PACKAGED = {  # installed by the packages, by the configuration key that leads to it
    "sounds": "usr/share/asterisk/sounds/en_US_f_Allison",
    "transcripts": "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz",
}
# Digits and keys of transcripts, as they are read out.
SYMBOLS = {"*": "star", "#": "pound", "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five"}
SYMBOLS |= {"6": "six", "7": "seven", "8": "eight", "9": "nine"}


@dataclass(frozen=True)
class AsteriskSettings:
    """Section `corpus.asterisk` of the configuration."""

    sounds: str
    transcripts: str
    text_translation: str
    text_sentences: int
    valid_fraction: float
    test_fraction: float


def make_corpus(*, settings: AsteriskSettings, seed: int) -> Corpus:
    """Find the prompts, with splits drawn by `seed`; the text is clauses of a Bible translation.

    Raises UserError if the prompts or the translation are not installed, or the translation has too few clauses.
    """
    check_fractions(settings.valid_fraction, settings.test_fraction, "corpus.asterisk")
    root = Path(settings.sounds)
    files = sorted(root.rglob("*.g722"))
    if not files:
        raise UserError(_missing(settings.sounds, "sounds", "asterisk-core-sounds-en-g722"))
    named = [(utterance_name(file.relative_to(root)), file) for file in files if file.parent.name != "silence"]
    named = [(name, file) for name, file in named if name not in NOT_SPEECH]
    random.Random(seed).shuffle(named)
    test = round(len(named) * settings.test_fraction)
    valid = round(len(named) * settings.valid_fraction)
    splits = ["test"] * test + ["valid"] * valid + ["train"] * (len(named) - test - valid)
    rows = [Recording(name, split, str(file.resolve())) for (name, file), split in zip(named, splits, strict=True)]

    sentences = clauses(settings.text_translation, MIN_WORDS, MAX_WORDS)
    if len(sentences) < settings.text_sentences:
        raise UserError(
            f"corpus.asterisk.text_sentences: {settings.text_translation} has only {len(sentences)} clauses of "
            f"{MIN_WORDS} to {MAX_WORDS} words. Lower it from {settings.text_sentences}."
        )
    random.Random(seed).shuffle(sentences)
    return Corpus("corpus.asterisk", rows, sentences[: settings.text_sentences])


def make_references(*, settings: AsteriskSettings) -> Transcripts:
    """Read the transcripts of the prompts. Raises UserError if they are not installed."""
    return Transcripts("corpus.asterisk.transcripts", read_prompts(settings.transcripts))


def read_prompts(path: str) -> Iterator[tuple[str, str]]:
    """Yield (utterance, transcript) of the lines `prompt: text`; prompts without words are left out.

    Digits and keys are spelled out one by one, as the prompts read them.
    """
    if not Path(path).is_file():
        raise UserError(_missing(path, "transcripts", "asterisk-core-sounds-en"))
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"corpus.asterisk.transcripts: {path} is damaged ({error}). Reinstall the package.") from error
    for line in lines:
        name, colon, transcript = line.partition(": ")
        transcript = ASIDE.sub(" ", transcript)
        if not colon or line.startswith(";") or not transcript.strip():
            continue
        for symbol, word in SYMBOLS.items():
            transcript = transcript.replace(symbol, f" {word} ")
        yield name.strip().replace("/", "-"), transcript


def _missing(path: str, key: str, package: str) -> str:
    return (
        f"corpus.asterisk.{key}: nothing found at {path}. Install Debian's prompts with "
        f"`sudo apt-get install {package}`. Without root: `apt-get download {package}` and "
        f"`dpkg -x {package}_*.deb prompts`, then set corpus.asterisk.{key} to prompts/{PACKAGED[key]}."
    )
