"""The corpus: its folder of results, its splits, its settings and its references."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unscribed.calls import takes
from unscribed.config.files import state_of
from unscribed.config.kinds import KINDS

SPLITS = ("train", "valid", "test")
EVALUATED = ("valid", "test")  # the splits that metrics are computed on


@dataclass(frozen=True)
class CorpusPlan:
    """The corpus of a configuration; `settings` is the section of its kind."""

    name: str
    kind: str
    language: str
    settings: Mapping[str, Any]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "CorpusPlan":
        """Read the section `corpus`."""
        corpus = config["corpus"]
        return cls(corpus["name"], corpus["kind"], corpus["language"], corpus[KINDS[corpus["kind"]].section])

    @property
    def results(self) -> str:
        """The folder of everything that is made from this corpus."""
        return f"results/{self.name}"

    @property
    def spoken(self) -> bool:
        """Whether the workflow synthesises the audio; the same rule then writes the references."""
        return KINDS[self.kind].speaks

    @property
    def rules(self) -> list[str]:
        """The rules of the stage corpus: one synthesises audio and text, two read them."""
        return ["make_corpus"] if self.spoken else ["make_corpus", "make_text"]

    @property
    def cuts(self) -> str | list[str]:
        """The table of the pieces that long recordings were cut into; none for corpora that are not cut."""
        return "<results>/corpus/cuts.parquet" if self.settings.get("cut") else []

    @property
    def spoken_language(self) -> str | None:
        """The language in which eSpeak NG makes the references' phones; None if the synthesiser gives its phones."""
        return self.language if takes(f"corpora.{self.kind}:make_corpus", "language") else None

    @property
    def speaker_level(self) -> int:
        """Which folder above a recording is its speaker's; 0 where folders do not tell."""
        return KINDS[self.kind].speaker_level

    @property
    def transcribed(self) -> bool:
        """Whether the corpus has transcripts, to be compared with hypotheses."""
        return self.kind != "folder" or bool(self.settings["transcripts"])

    @property
    def untranscribed_settings(self) -> Mapping[str, Any]:
        """The settings without the transcripts, which only the references need: adding them reruns nothing else."""
        return {**self.settings, "transcripts": ""} if "transcripts" in self.settings else self.settings

    @property
    def text(self) -> list[str]:
        """The user's text as an input, so that new lines are noticed; a missing one is its reader's to report."""
        return self._existing("text") if KINDS[self.kind].text == "file" else []

    @property
    def transcripts(self) -> list[str]:
        """The user's transcripts as an input, in the same way; those of a published corpus lie beside its audio."""
        return self._existing("transcripts")

    def _existing(self, key: str) -> list[str]:
        path = Path(self.settings.get(key) or "").expanduser()
        return [str(path)] if path.is_file() else []

    def state(self, wildcards: Any) -> str:
        """Return what the folder of the audio is like (`state_of`), as a param: looked at when jobs are planned."""
        audio = self.settings[KINDS[self.kind].audio] if KINDS[self.kind].audio else ""
        return state_of(audio) if audio else ""

    def references(self, *splits: str) -> list[str]:
        """Return the reference files of `splits`; an empty list if the corpus has none. Not for unsupervised stages."""
        return [f"<results>/references/{split}.parquet" for split in splits] if self.transcribed else []
