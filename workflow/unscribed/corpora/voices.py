"""The many voices that eSpeak NG can speak a language with: its variants, at any rate and pitch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np

# Variants that no person sounds like: whispers, robots, a monster; and two that differ from others in speed alone.
UNNATURAL = ("whisper", "robo", "demonic", "croak", "tweaky", "mr serious", "fast", "announcer", "anxiousandy")

# The noise of these variants has a generator that nothing sets: the same sentence sounds different in every run.
BREATHY = re.compile(r"^breath", re.MULTILINE)


@dataclass(frozen=True)
class Voice:
    """A voice of eSpeak NG: its name for the synthesiser, words per minute, pitch and pitch range (0 to 100)."""

    name: str
    rate_wpm: int
    pitch: int
    pitch_range: int


@cache
def variants() -> tuple[str, ...]:
    """Return the names of the installed variants that sound like people and always the same, in alphabetical order."""
    folder = Path(espeakng_loader.get_data_path()) / "voices/!v"
    files = sorted(path for path in folder.iterdir() if path.is_file())
    usable = (path for path in files if not any(sign in path.name.lower() for sign in UNNATURAL))
    return tuple(path.name for path in usable if not BREATHY.search(path.read_text(encoding="utf-8")))


def draw_voice(
    language: str,
    rates_wpm: Sequence[int],
    pitches: Sequence[int],
    pitch_ranges: Sequence[int],
    generator: np.random.Generator,
) -> Voice:
    """Draw a variant of `language`'s voice and, from ranges given as [lowest, highest], its rate, pitch and range."""
    variant = variants()[generator.integers(len(variants()))]
    rate, pitch, pitch_range = (
        int(generator.integers(low, high + 1)) for low, high in (rates_wpm, pitches, pitch_ranges)
    )
    return Voice(f"{language}+{variant}", rate, pitch, pitch_range)
