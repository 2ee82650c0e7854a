"""Unscribed: speech recognition from untranscribed audio and unrelated text.

from unscribed import Recogniser
recogniser = Recogniser("results/demo")
print(recogniser.transcribe("recording.wav").text)
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the recogniser when it is asked for: it needs seconds, and no stage of the workflow has to wait for it."""
    if name == "Recogniser":
        return import_module("unscribed.recogniser.recogniser").Recogniser
    raise AttributeError(f"module 'unscribed' has no attribute {name!r}")
