"""The runs of the GAN: the jobs that train them, their inputs and their outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unscribed.gan.runs import WARM_STARTS, Run, all_runs, run_label
from unscribed.plan.candidates import Candidate
from unscribed.plan.teacher import TEACHER_PHONES, TeacherPlan

# Values of gan.input and their folders: first segments, segments of decoded phones, or frames.
INPUTS = {"segments": "<results>/segment", "decoded": "<results>/gan/segments", "frames": "<results>/pca"}


@dataclass(frozen=True)
class GanPlan:
    """All `runs`, trained `runs_per_job` at a time; `input` is the section's.

    `matched` is the folder of the matching's round from which a start from the matching takes its labels.
    `mfcc` are the training frames whose clusters are the pseudo-labels of the auxiliary loss, if there is one
    (`auxiliary`).
    """

    runs: list[Run]
    runs_per_job: int
    input: str
    matched: str
    mfcc: str
    auxiliary: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "GanPlan":
        """Read the section `gan`; the matching's phones are those of its first seed.

        No run starts from a teacher that is left out.
        """
        gan = config["gan"]
        matched = f"<results>/decode/seed{config['match']['seeds'][0]}/round{gan['match_round']}"
        left_out = "teacher" if TeacherPlan.from_config(config).left_out else None
        mfcc = "features" if config["features"]["kind"] == "mfcc" else "gan/mfcc"
        return cls(
            runs=[run for run in all_runs(gan) if run["start"] != left_out],
            runs_per_job=gan["runs_per_job"],
            input=gan["input"],
            matched=matched,
            mfcc=f"<results>/{mfcc}/train.npy",
            auxiliary=gan["auxiliary"] > 0,
        )

    @property
    def folder(self) -> str:
        """The folder of the segments or frames that the GAN learns from."""
        return INPUTS[self.input]

    @property
    def starts(self) -> list[str]:
        """Whose labels runs start from: `match`, `teacher`, both or neither."""
        return [start for start in WARM_STARTS if any(run["start"] == start for run in self.runs)]

    @property
    def labels(self) -> list[str]:
        """The phones of the split train that runs start from, in the order of `starts`."""
        return [f"{self._phones_of(start)}/train.parquet" for start in self.starts]

    @property
    def cut_by(self) -> str:
        """The folder of the phones whose boundaries cut the input `decoded`: the teacher's if runs start there."""
        return self._phones_of("teacher" if "teacher" in self.starts else "match")

    def _phones_of(self, start: str) -> str:
        return TEACHER_PHONES if start == "teacher" else self.matched

    @property
    def targets(self) -> str | list[str]:
        """The pseudo-labels of the training frames, if there is an auxiliary loss."""
        return "<results>/gan/targets/train.npy" if self.auxiliary else []

    def boundaries(self, split: str) -> str | list[str]:
        """Return the file with the boundaries of the segments; frames have none."""
        return [] if self.input == "frames" else f"{self.folder}/{split}.boundaries.parquet"

    def job(self, run: int) -> int:
        """Return the number of the job that trains a run."""
        return run // self.runs_per_job

    @property
    def jobs(self) -> list[int]:
        """The numbers of all jobs."""
        return sorted({self.job(run) for run in range(len(self.runs))})

    def job_numbers(self, wildcards: Any) -> list[int]:
        """Return the numbers of the runs of one {job}."""
        return [run for run in range(len(self.runs)) if self.job(run) == int(wildcards.job)]

    def job_runs(self, wildcards: Any) -> list[Run]:
        """Return the runs of one {job}."""
        return [self.runs[number] for number in self.job_numbers(wildcards)]

    def model(self, wildcards: Any) -> str:
        """Return the file with the weights of a {run}, in which {moment} is still a wildcard."""
        return f"<results>/gan/job{self.job(int(wildcards.run))}/{{moment}}.safetensors"

    def phones(self, moments: Sequence[str], splits: Sequence[str]) -> list[str]:
        """Return the files with the phones by all runs at some moments; an empty list without a GAN."""
        return [
            f"<results>/gan/run{run}/{moment}/{split}.phones.parquet"
            for run in range(len(self.runs))
            for moment in moments
            for split in splits
        ]

    @property
    def candidates(self) -> list[Candidate]:
        """Every run at its best moment, for the selection."""
        return [
            Candidate(
                name=run_label(run),
                kind="gan",
                hypotheses=f"<results>/gan/run{number}/best/{{split}}.phones.parquet",
                model=f"<results>/gan/job{self.job(number)}/best.safetensors",
            )
            for number, run in enumerate(self.runs)
        ]
