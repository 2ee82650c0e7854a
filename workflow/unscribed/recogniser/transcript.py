"""What was recognised in a recording: utterances of words and phones, with times in seconds of the recording."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Phone:
    """A phone from `start` to `end`, in seconds."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Word:
    """A word from `start` to `end`, in seconds, and how sure the recogniser is of it, 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech from `start` to `end`, in seconds; without words if no path of the graph fits it."""

    start: float
    end: float
    words: list[Word]
    phones: list[Phone]

    @property
    def text(self) -> str:
        """The words, with spaces between them."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Transcript:
    """The utterances of the file `path`, which lasts `seconds`."""

    path: Path
    seconds: float
    utterances: list[Utterance]

    @property
    def text(self) -> str:
        """The utterances that have words, one per line."""
        return "\n".join(utterance.text for utterance in self.utterances if utterance.words)

    @property
    def words(self) -> list[Word]:
        """The words of all utterances."""
        return [word for utterance in self.utterances for word in utterance.words]
