"""Utterances of the report: audio to listen to, the words that were heard, the transcript beside them if there is one.

Dimensions: N samples.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import soundfile

from unscribed.artifacts import Pathlike
from unscribed.audio.io import load_mono
from unscribed.evaluation.per import GAP, align
from unscribed.evaluation.tables import UtteranceTable
from unscribed.tables import ManifestTable, WordTable

SHOWN = 12  # utterances with audio: 20 kB for each 5 s
MOST_SECONDS = 20.0  # of an utterance that are played
RIGHT, WRONG, UNKNOWN = "right", "wrong", "unknown"


@dataclass(frozen=True)
class HeardWord:
    """A word of the hypothesis; `state` is RIGHT, WRONG, or UNKNOWN without a transcript."""

    text: str
    confidence: float
    state: str


@dataclass(frozen=True)
class SpokenWord:
    """A word of the transcript, and whether it was recognised (RIGHT or WRONG)."""

    text: str
    state: str


@dataclass(frozen=True)
class ShownUtterance:
    """An utterance with its sound as the URI of an MP3; `spoken` is empty and `errors` None without a transcript."""

    name: str
    sound: str
    heard: list[HeardWord]
    spoken: list[SpokenWord]
    errors: int | None


def shown_utterances(words: Pathlike, scored: Pathlike, manifest: Pathlike, rate: int) -> list[ShownUtterance]:
    """Return utterances of one split from the best recognised to the worst, evenly spread; `rate` in Hz.

    They are ranked by errors per word where transcripts are known, else by mean confidence.
    Raises UserError if audio is missing or damaged.
    """
    decoded, known = WordTable.by_utterance(words), UtteranceTable.by_utterance(scored)
    audio = ManifestTable.by_utterance(manifest)
    return [
        _shown(name, decoded.loc[name], known.loc[name], audio.loc[name, "path"], rate)
        for name in spread(decoded, known)
    ]


def spread(decoded: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """Return the names of SHOWN utterances, or of all if they are fewer, in order of their quality."""
    error_rate = known["errors"] / known["reference_length"].clip(lower=1)
    doubt = decoded["word_confidences"].map(lambda found: 1.0 - float(np.mean(found)) if len(found) else 1.0)
    order = pd.DataFrame({"error_rate": error_rate.reindex(decoded.index), "doubt": doubt})
    names = order.sort_values(["error_rate", "doubt"], kind="stable").index
    places = np.linspace(0, len(names) - 1, min(SHOWN, len(names))).round().astype(int)
    return [names[place] for place in places]


def _shown(name: str, row: pd.Series, known: pd.Series, path: str, rate: int) -> ShownUtterance:
    reference = known["reference"]
    told = reference.split() if isinstance(reference, str) else None
    states, spoken = marked(list(row["words"]), told)
    heard = [HeardWord(*word) for word in zip(row["words"], row["word_confidences"], states, strict=True)]
    return ShownUtterance(name, sound(path, rate), heard, spoken, None if told is None else int(known["errors"]))


def marked(heard: Sequence[str], told: Sequence[str] | None) -> tuple[list[str], list[SpokenWord]]:
    """Return the state of each word of a hypothesis, and the words of the transcript `told` with theirs."""
    if told is None:
        return [UNKNOWN] * len(heard), []
    pairs = align(told, heard)
    states = [(left, right, RIGHT if left == right else WRONG) for left, right in pairs]
    return (
        [state for _, right, state in states if right != GAP],
        [SpokenWord(left, state) for left, _, state in states if left != GAP],
    )


def sound(path: Pathlike, rate: int) -> str:
    """Return the URI of an MP3 with the first MOST_SECONDS of a file, which every browser plays."""
    samples = load_mono(path, rate)[: round(MOST_SECONDS * rate)]
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1.0, 1.0), rate, format="MP3")
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
