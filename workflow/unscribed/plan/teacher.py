"""The teacher: whether its phones are among those that the selection chooses from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.languages import unknown_language
from unscribed.plan.candidates import Candidate


@dataclass(frozen=True)
class TeacherPlan:
    """`taken`: whether the teacher's phones are a candidate; `left_out`: why not, though asked for."""

    taken: bool
    left_out: str | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TeacherPlan":
        """Read the section `teacher`; a text that eSpeak NG cannot speak leaves the teacher out and stops nothing."""
        asked = config["teacher"]["candidate"]
        if not asked or config["phonemize"]["backend"] != "phones":
            return cls(asked)
        unknown = unknown_language(config["corpus"]["language"])
        return cls(
            taken=False,
            left_out="teacher.candidate: the teacher is left out and the rest runs, because eSpeak NG cannot speak the "
            f"text, which is phones (phonemize.backend){f'; {unknown} (corpus.language)' if unknown else ''}. Set "
            "teacher.candidate to false, or give text of words in a language of eSpeak NG.",
        )

    def decoded(self, split: str) -> str | list[str]:
        """Return the teacher's phones of one split, if they are a candidate."""
        return f"<results>/teacher/decode/{split}.parquet" if self.taken else []

    @property
    def candidates(self) -> list[Candidate]:
        """The adapted teacher, for the selection."""
        if not self.taken:
            return []
        model = "<results>/teacher/adapted.safetensors"
        return [Candidate("teacher", "teacher", "<results>/teacher/decode/{split}.parquet", model)]
