"""All that the rules derive from a configuration: names, numbers of jobs, files.

Every Snakemake process loads this room, on compute nodes too: it imports nothing heavy. Input functions of rules take
wildcards and return paths, in which Snakemake replaces <results> by the folder of the corpus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.plan.candidates import Candidate
from unscribed.plan.checkpoint import FeaturesPlan, PretrainPlan
from unscribed.plan.corpus import CorpusPlan
from unscribed.plan.figures import FiguresPlan
from unscribed.plan.finetune import FinetunePlan
from unscribed.plan.gan import GanPlan
from unscribed.plan.hmm import HmmPlan
from unscribed.plan.matching import MatchingPlan
from unscribed.plan.teacher import TeacherPlan
from unscribed.plan.text import TextPlan


@dataclass(frozen=True)
class Plan:
    """What a checked and complete configuration asks for, by topic; the report shows so many `utterances`."""

    corpus: CorpusPlan
    text: TextPlan
    features: FeaturesPlan
    pretrain: PretrainPlan
    matching: MatchingPlan
    gan: GanPlan
    teacher: TeacherPlan
    hmm: HmmPlan
    finetune: FinetunePlan
    utterances: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Plan":
        """Read a configuration that is complete and has passed its checks."""
        corpus = CorpusPlan.from_config(config)
        return cls(
            corpus=corpus,
            text=TextPlan.from_config(config),
            features=FeaturesPlan.from_config(config, corpus),
            pretrain=PretrainPlan.from_config(config, corpus),
            matching=MatchingPlan.from_config(config),
            gan=GanPlan.from_config(config),
            teacher=TeacherPlan.from_config(config),
            hmm=HmmPlan.from_config(config),
            finetune=FinetunePlan.from_config(config, corpus),
            utterances=config["report"]["utterances"],
        )

    @property
    def candidates(self) -> list[Candidate]:
        """The models that the selection chooses from: rounds of the matching, GAN runs at their best, the teacher."""
        return self.matching.candidates + self.gan.candidates + self.teacher.candidates

    @property
    def pretrains(self) -> bool:
        """Whether features or fine-tuning use the model that the stage pretrain makes."""
        return self.features.checkpoint.made_here or self.finetune.checkpoint.made_here

    @property
    def diagnosed(self) -> dict[str, str | list[str]]:
        """The inputs of the stage diagnose by argument; all empty without transcripts."""
        splits = ("train", "valid")
        place = self.matching.places[0]
        files = {
            "manifests": [f"<results>/manifest/{split}.parquet" for split in splits],
            "vads": [f"<results>/vad/{split}.parquet" for split in splits],
            "frames": [f"<results>/pca/{split}.npy" for split in splits],
            "segments": [f"<results>/segment/{split}.npy" for split in splits],
            "boundaries": [f"<results>/segment/{split}.boundaries.parquet" for split in splits],
            "labels": f"<results>/match/{place}/labels.npy",
            "objectives": f"<results>/match/{place}/objectives.parquet",
            "phones_text": "<results>/silence/phones.txt",
            "phones": "<results>/phonemize/phones.txt",
        }
        if not self.corpus.transcribed:
            return {"references": [], **{argument: [] for argument in files}}
        return {"references": self.corpus.references(*splits), **files}

    @property
    def figures(self) -> FiguresPlan:
        """The figures of the report."""
        return FiguresPlan(
            given={
                "gan": bool(self.gan.runs),
                "teacher": self.teacher.taken,
                "pretrain": self.pretrains,
                "codebook": self.pretrain.codebook,
                "diagnose": False,  # drawn by its target alone
            },
            values={
                "place": self.matching.places,
                "job": self.gan.jobs,
                "transcribed": ["test"] if self.corpus.transcribed else [],
                "index": range(self.utterances),
            },
        )
