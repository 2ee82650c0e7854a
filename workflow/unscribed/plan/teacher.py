"""The teacher: whether its phones are among those that the selection chooses from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.plan.candidates import Candidate


@dataclass(frozen=True)
class TeacherPlan:
    """`taken`: whether the teacher's phones are a candidate."""

    taken: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TeacherPlan":
        """Read the section `teacher`."""
        return cls(config["teacher"]["candidate"])

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
