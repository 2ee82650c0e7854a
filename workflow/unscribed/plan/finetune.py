"""Fine-tuned models: on how much transcribed speech, or on which pseudo-labels, and what their decoding is tuned by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.config.checkpoints import hop_ms
from unscribed.plan.checkpoint import Checkpoint, all_places
from unscribed.plan.corpus import CorpusPlan

HOURS = {"10min": 1 / 6, "1h": 1.0, "10h": 10.0, "all": None}  # of transcribed speech that a model learns from
PSEUDO = "pseudo"
LEARNED_SPLITS = ("train", "valid")
DECODERS = ("none", "ngram", "transformer")  # which language model helps
# What a fine-tuning elsewhere needs.
PSEUDO_LABELS = [
    *(f"<results>/pseudo_labels/{split}.parquet" for split in LEARNED_SPLITS),
    "<results>/pseudo_labels/vocab.json",
]


@dataclass(frozen=True)
class FinetunePlan:
    """The `models` to make of `checkpoint`, each named after its labels; `places` are all corpora that take part.

    `hop_ms` is from one frame of the checkpoint to the next.
    """

    models: list[str]
    checkpoint: Checkpoint
    hop_ms: float
    places: list[str]
    phones: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any], corpus: CorpusPlan) -> "FinetunePlan":
        """Pseudo-labels give one model per round; without a checkpoint of its own, that of the features is taken."""
        finetune = config["finetune"]
        labels, name = finetune["labels"], finetune["checkpoint"] or config["features"]["checkpoint"]
        rounds = range(1, finetune["rounds"] + 1) if PSEUDO in labels else []
        features = {**config["features"], "kind": "wav2vec", "checkpoint": name}
        return cls(
            models=[*(name for name in labels if name in HOURS), *(f"{PSEUDO}{number}" for number in rounds)],
            checkpoint=Checkpoint.named(name, corpus),
            hop_ms=hop_ms({**config, "features": features}),
            places=all_places(finetune["languages"]),
            phones=finetune["units"] == "phones",
        )

    @property
    def scores(self) -> list[str]:
        """The scores of every model with every decoder."""
        return [
            f"<results>/finetune/{labels}/evaluate/{decoder}.json" for labels in self.models for decoder in DECODERS
        ]

    @property
    def inventories(self) -> list[str]:
        """The phones that a model of phones may write."""
        return self.files("phonemize/phones.txt") if self.phones else []

    def files(self, name: str) -> list[str]:
        """The file `name` of every corpus that takes part."""
        return [f"{place}/{name}" for place in self.places]


def few_hours(wildcards: Any) -> float | None:
    """How much of a {split} the model of the {labels} learns from; the split valid has all of its own."""
    return HOURS[wildcards.labels] if wildcards.split == "train" else None


def round_words(wildcards: Any) -> str:
    """The decoded words that a {round} of pseudo-labels comes from: the HMM's, then those of the round before."""
    number = int(wildcards.round)
    return (
        "<results>/words/{split}.parquet"
        if number == 1
        else (f"<results>/finetune/{PSEUDO}{number - 1}/ngram/{{split}}.parquet")
    )


def valid_transcripts(wildcards: Any) -> str | list[str]:
    """Transcripts of the split valid, by which decoding is tuned; none if the model has only seen pseudo-labels."""
    return [] if _is_pseudo(wildcards) else _valid_labels(wildcards)


def valid_pseudo_labels(wildcards: Any) -> str | list[str]:
    """Pseudo-labels of the split valid, which decoding must not go far from; none if there are transcripts."""
    return _valid_labels(wildcards) if _is_pseudo(wildcards) else []


def _is_pseudo(wildcards: Any) -> bool:
    return wildcards.labels.startswith(PSEUDO)


def _valid_labels(wildcards: Any) -> str:
    return f"<results>/finetune/{wildcards.labels}/labels/valid.parquet"
