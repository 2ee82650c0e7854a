"""Make the speech of the later steps, on all cores: natural voices to pretrain on, natural-en, and the spoken text.

hibari speaks long clauses of two translations at several speeds (natural-en's are short ones of a third translation, so
nothing of its test set is heard), and eSpeak NG the text of natural-en in many voices. How many hours is decided by
the speed of the first ones.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from settings import defaults, settings_of
from step import Figure, Step, read_arguments, rounded

from unscribed.audio.features import FeatureSettings, features
from unscribed.audio.manifest import AudioSettings, manifest
from unscribed.audio.vad import VadSettings, vad
from unscribed.corpora.build import write_corpus
from unscribed.tables import VadTable
from unscribed.teacher.frames import FEATURES
from unscribed.teacher.speak import SpeakSettings, speak
from unscribed.text.normalize import NormalizeSettings, normalize
from unscribed.text.phonemize import PhonemizeSettings, phonemize

RATE = 16000  # Hz
CORES = os.cpu_count() or 1
MOST_HOURS = 100.0  # of speech to pretrain on
SPOKEN_HOURS, SPOKEN_SHARE = 30.0, 0.25  # of them by eSpeak NG, and the most of the time that these may take
PARTS = [(translation, speed) for speed in (1.0, 0.85, 1.15, 0.92, 1.08, 1.25) for translation in ("KJV", "ASV")]
PART_HOURS = 8.0  # what a translation has of long clauses, at speed 1
TINY_HOURS = 0.03
SLOWER = 1.3  # a part may take so much longer than the one before
TINY = {"train_hours": TINY_HOURS, "valid_utterances": 6, "test_utterances": 6, "text_sentences": 300}


def natural_en(folder: Path, rehearse: bool) -> None:
    """Make natural-en with its references and the phones of its text, as its configuration does."""
    config, text = defaults(), folder / "text"
    language = config["corpus"]["language"]
    corpus(folder, config["corpus"]["hibari"] | (TINY if rehearse else {}))
    normalize(
        text=folder / "corpus/text.txt",
        settings=settings_of(NormalizeSettings, config["normalize"]),
        language=language,
        normalized=text / "normalized.txt",
        report=text / "normalized.json",
    )
    phonemize(
        text=text / "normalized.txt",
        language=language,
        settings=settings_of(PhonemizeSettings, config["phonemize"], **({"min_count": 1} if rehearse else {})),
        lexicon=text / "lexicon.parquet",
        sentences=text / "sentences.parquet",
        phones=text / "phones.txt",
        report=text / "phonemized.json",
    )


def corpus(folder: Path, spoken: dict[str, Any]) -> None:
    """Make a corpus of hibari's: recordings, references, and the manifests and regions of speech of its splits."""
    config = defaults()
    splits = ("train", "valid", "test")
    write_corpus(
        reader="corpora.hibari:make_corpus",
        settings=spoken,
        seed=0,
        sample_rate_hz=RATE,
        threads=CORES,
        language=config["corpus"]["language"],
        recordings=folder / "corpus/recordings.parquet",
        text=folder / "corpus/text.txt",
        audio=folder / "corpus/audio",
        **{f"references_{split}": folder / f"references/{split}.parquet" for split in splits},
    )
    for split in splits:
        manifest(
            recordings=folder / "corpus/recordings.parquet",
            split=split,
            settings=settings_of(AudioSettings, config["audio"]),
            manifest=folder / f"manifest/{split}.parquet",
            rejected=folder / f"manifest/{split}.rejected.parquet",
            threads=CORES,
        )
        vad(
            manifest=folder / f"manifest/{split}.parquet",
            settings=settings_of(VadSettings, config["vad"]),
            sample_rate_hz=RATE,
            vad=folder / f"vad/{split}.parquet",
            threads=CORES,
        )


def spoken_text(folder: Path, text: Path, hours: float) -> None:
    """Let eSpeak NG speak the sentences in the folder `text`, and compute their log-mel frames."""
    config = defaults()
    speak(
        sentences=text / "sentences.parquet",
        settings=settings_of(SpeakSettings, config["speak"], hours=hours),
        language=config["corpus"]["language"],
        margin_ms=config["vad"]["margin_ms"],
        seed=0,
        sample_rate_hz=RATE,
        threads=CORES,
        audio=folder / "audio",
        spoken=folder / "spoken.parquet",
        manifest=folder / "manifest/train.parquet",
        vad=folder / "vad/train.parquet",
    )
    features(
        manifest=folder / "manifest/train.parquet",
        vad=folder / "vad/train.parquet",
        settings=FeatureSettings(**FEATURES),
        sample_rate_hz=RATE,
        features=folder / "logmel.npy",
        threads=CORES,
    )


def natural_part(folder: Path, number: int, hours: float, rehearse: bool) -> None:
    """Make one part of the natural speech to pretrain on; only the first has utterances to validate with."""
    translation, speed = PARTS[number]
    validated = (TINY["valid_utterances"] if rehearse else 100) if number == 0 else 1
    changes = {
        "translation": translation,
        "text_translation": translation,
        "train_hours": hours / speed,
        "valid_utterances": validated,
        "test_utterances": 1,  # not used, like the text
        "text_sentences": 1,
        "min_words": 13,
        "max_words": 40,
        "speed": speed,
    }
    corpus(folder, defaults()["corpus"]["hibari"] | changes)


def hours_in(work: Path) -> dict[str, float]:
    """Return the hours of speech of every finished part."""
    tables = sorted((work / "speech").glob("*/vad/train.parquet"))
    return {path.parts[-3]: float(VadTable.read(path)["speech_seconds"].sum()) / 3600 for path in tables}


def natural_parts(step: Step, target: float) -> None:
    """Make parts until there are `target` hours of speech or the time is over; finished ones are kept."""
    last = 0.0
    for number in range(len(PARTS)):
        folder = step.work / f"speech/part{number}"
        if (folder / "vad/test.parquet").exists():
            continue
        if sum(hours_in(step.work).values()) >= target:
            return
        if last and step.left() < SLOWER * last:
            print(f"no time for part {number} of the natural speech", file=sys.stderr)
            return
        begun = time.monotonic()
        natural_part(folder, number, TINY_HOURS if step.rehearse else PART_HOURS, step.rehearse)
        last = time.monotonic() - begun


def main() -> None:
    """Make natural-en, the spoken text, and as many parts of natural speech as the time allows."""
    step = read_arguments(__doc__)
    speech = step.work / "speech"
    begun = time.monotonic()
    if not (speech / "natural-en/text/phones.txt").exists():
        natural_en(speech / "natural-en", step.rehearse)
    speed = sum(hours_in(step.work).values()) / (time.monotonic() - begun)  # hours a second: both speak about as fast
    if not (speech / "spoken/logmel.parquet").exists():
        hours = TINY_HOURS if step.rehearse else min(SPOKEN_HOURS, SPOKEN_SHARE * step.left() * speed)
        spoken_text(speech / "spoken", speech / "natural-en/text", hours)
    natural_parts(step, 3 * TINY_HOURS if step.rehearse else MOST_HOURS)
    hours = hours_in(step.work)
    figures: dict[str, Figure] = {"hours": rounded(sum(hours.values()))}
    step.write(figures | {f"hours_of_{name}": rounded(value) for name, value in hours.items()})


if __name__ == "__main__":
    main()
