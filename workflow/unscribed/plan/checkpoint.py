"""Pretrained models: their files, and the corpora that the workflow's own model is pretrained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unscribed.config.checkpoints import PRETRAIN, hop_ms
from unscribed.config.feature_kinds import LEARNED, LearnedKind
from unscribed.plan.corpus import CorpusPlan

MADE_HERE = "<results>/pretrain/model"  # the output of the stage pretrain
# The files of a checkpoint that matter: the index lists those of weights that are split into several files.
FILES = ("config.json", "model.safetensors", "model.safetensors.index.json", "preprocessor_config.json")


@dataclass(frozen=True)
class Checkpoint:
    """A model: `name` is its folder or name on the hub; `made_here` if the stage pretrain of this corpus makes it."""

    name: str
    made_here: bool

    @classmethod
    def named(cls, name: str, corpus: CorpusPlan) -> "Checkpoint":
        """Return the checkpoint that the configuration calls `name`: `pretrain` is the model of the stage pretrain."""
        own = MADE_HERE.replace("<results>", corpus.results)
        return cls(own, True) if name in (PRETRAIN, own) else cls(name, False)

    @property
    def files(self) -> list[str]:
        """The input files of rules that use the model: a change reruns them. None for a model on the hub."""
        if self.made_here:
            return [MADE_HERE]
        paths = [Path(self.name).expanduser() / name for name in FILES]
        return [str(path) for path in paths if path.is_file()]


@dataclass(frozen=True)
class FeaturesPlan:
    """The features: a `learned` kind from `checkpoint`, in `shards` jobs per split, or spectral ones."""

    learned: LearnedKind | None
    checkpoint: Checkpoint
    shards: int
    hop_ms: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any], corpus: CorpusPlan) -> "FeaturesPlan":
        """Read the section `features`; spectral features have one shard."""
        features = config["features"]
        learned = LEARNED.get(features["kind"])
        checkpoint = Checkpoint.named(features["checkpoint"], corpus)
        return cls(learned, checkpoint, features["shards"] if learned else 1, hop_ms(config))

    @property
    def recogniser_checkpoint(self) -> str:
        """The model as the recogniser names it: one that is made here by its path from there; none for spectra."""
        if not self.learned:
            return ""
        return MADE_HERE.replace("<results>", "..") if self.checkpoint.made_here else self.checkpoint.name

    @property
    def rules(self) -> list[str]:
        """The rules of the stage features."""
        return ["features_split", *(["features_shard"] if self.shards > 1 else [])]


@dataclass(frozen=True)
class PretrainPlan:
    """The audio that a model is pretrained on: `places` are folders of results, `languages` their names.

    `spoken` if the spoken text takes part as the last language. `clusters` if its targets are clusters (HuBERT);
    `teacher` is the model whose states are clustered (not for MFCCs).
    """

    places: list[str]
    languages: list[str]
    spoken: bool
    clusters: bool
    teacher: Checkpoint

    @classmethod
    def from_config(cls, config: Mapping[str, Any], corpus: CorpusPlan) -> "PretrainPlan":
        """Read the section `pretrain`; the corpus of the configuration comes first."""
        pretrain = config["pretrain"]
        others, spoken = pretrain["languages"], pretrain["spoken"]
        names = [config["corpus"]["language"], *(other["language"] for other in others)]
        return cls(
            places=all_places(others),
            languages=[*names, "spoken text"] if spoken else names,
            spoken=spoken,
            clusters=pretrain["objective"] == "clusters",
            teacher=Checkpoint.named(pretrain["targets"], corpus),
        )

    @property
    def codebook(self) -> bool:
        """Whether several languages share a codebook, so that their use of it can be compared."""
        return len(self.languages) > 1 and not self.clusters

    def files(self, table: str, split: str) -> list[str]:
        """Return a table (`manifest` or `vad`) of every corpus that takes part; of the spoken text all is train."""
        spoken = [f"<results>/speak/{table}.parquet"] if self.spoken and split == "train" else []
        return [f"{place}/{table}/{split}.parquet" for place in self.places] + spoken


def all_places(others: list[Mapping[str, str]]) -> list[str]:
    """Return the folders of results of this corpus and of the others that a section lists as `languages`."""
    return ["<results>", *(other["results"] for other in others)]
