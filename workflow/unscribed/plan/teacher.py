"""The teacher: whether its phones are among those that the selection chooses from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.languages import unknown_language
from unscribed.plan.candidates import Candidate

TEACHER_PHONES = "<results>/teacher/decode"  # folder of the phones that the adapted teacher decodes


@dataclass(frozen=True)
class TeacherPlan:
    """`taken`: whether the teacher's phones are a candidate; `left_out`: why not, though asked for.

    `own_frames`: whether it hears log-mel frames of its own, and not those of the corpus's features.
    """

    taken: bool
    left_out: str | None = None
    own_frames: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TeacherPlan":
        """Read who asks for the teacher; a text that eSpeak NG cannot speak leaves it out and stops nothing."""
        candidate, gan, own = config["teacher"]["candidate"], config["gan"], config["teacher"]["frames"] == "logmel"
        asks = {"teacher.candidate": candidate, "gan.start": gan["seeds"] and "teacher" in gan["start"]}
        asked = [key for key, wanted in asks.items() if wanted]
        backend = config["phonemize"]["backend"]
        if not asked or backend == "espeak":
            return cls(candidate, own_frames=own)
        unknown = unknown_language(config["corpus"]["language"])
        about = f"; {unknown} (corpus.language)" if unknown else ""
        why = "is phones" if backend == "phones" else f"has phones by {backend}, not its own"
        return cls(
            taken=False,
            left_out=f"{', '.join(asked)}: the teacher is left out and the rest runs, because eSpeak NG cannot speak "
            f"the text, which {why} (phonemize.backend){about}. Do without the teacher there, or give text of "
            "words in a language of eSpeak NG.",
        )

    def frames(self, split: str) -> str:
        """Return the frames of one split that the teacher hears."""
        return f"<results>/{'teacher/frames' if self.own_frames else 'features'}/{split}.npy"

    def decoded(self, split: str) -> str | list[str]:
        """Return the teacher's phones of one split, if they are a candidate."""
        return f"{TEACHER_PHONES}/{split}.parquet" if self.taken else []

    @property
    def candidates(self) -> list[Candidate]:
        """The adapted teacher, for the selection."""
        if not self.taken:
            return []
        model = "<results>/teacher/adapted.safetensors"
        return [Candidate("teacher", "teacher", f"{TEACHER_PHONES}/{{split}}.parquet", model)]
