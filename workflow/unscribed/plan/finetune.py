"""Fine-tuned models: their labels (transcripts of so much speech, or pseudo-labels) and the tuning of decoding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unscribed.config.checkpoints import hop_ms
from unscribed.plan.checkpoint import Checkpoint, all_places
from unscribed.plan.corpus import CorpusPlan

HOURS = {"10min": 1 / 6, "1h": 1.0, "10h": 10.0, "all": None}  # of transcribed speech to learn from, by label
PSEUDO = "pseudo"  # the label of models that learn from decoded words; pseudo1, pseudo2, … are its rounds
LEARNED_SPLITS = ("train", "valid")  # the splits with pseudo-labels
DECODERS = ("none", "ngram", "transformer")  # by the strongest language model that is used
# The files for fine-tuning a model outside the workflow.
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
        """Read the section `finetune`: one model per amount of labels and per round of pseudo-labels.

        The checkpoint is that of the features if the section names none.
        """
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
    def recognisers(self) -> list[str]:
        """The folders in which the models are taken along."""
        return [f"<results>/finetune/{labels}/recogniser" for labels in self.models]

    def verdict(self, wildcards: Any) -> str | list[str]:
        """Return the verdict on the words that a model has learned from; those of people need none."""
        return "<results>/verdict.json" if wildcards.labels.startswith(PSEUDO) else []

    @property
    def scores(self) -> list[str]:
        """The files with the scores of every model with every decoder."""
        return [
            f"<results>/finetune/{labels}/evaluate/{decoder}.json" for labels in self.models for decoder in DECODERS
        ]

    @property
    def inventories(self) -> list[str]:
        """The phone inventories of all corpora that take part; none for models of letters."""
        return self.files("phonemize/phones.txt") if self.phones else []

    def files(self, name: str) -> list[str]:
        """The file `name` of every corpus that takes part."""
        return [f"{place}/{name}" for place in self.places]


def few_hours(wildcards: Any) -> float | None:
    """Return the hours of a {split} that the model of the {labels} learns from; None is all, as always in valid."""
    return HOURS[wildcards.labels] if wildcards.split == "train" else None


def round_words(wildcards: Any) -> str:
    """Return the decoded words that are the pseudo-labels of a {round}: the HMM's, then those of the round before."""
    number = int(wildcards.round)
    return (
        "<results>/words/{split}.parquet"
        if number == 1
        else (f"<results>/finetune/{PSEUDO}{number - 1}/ngram/{{split}}.parquet")
    )


def valid_transcripts(wildcards: Any) -> str | list[str]:
    """Return the transcripts of valid, by which decoding is tuned; none if the model learned from pseudo-labels."""
    return [] if _is_pseudo(wildcards) else _valid_labels(wildcards)


def valid_pseudo_labels(wildcards: Any) -> str | list[str]:
    """Return the pseudo-labels of valid, by which decoding is tuned; none if the model learned from transcripts."""
    return _valid_labels(wildcards) if _is_pseudo(wildcards) else []


def _is_pseudo(wildcards: Any) -> bool:
    return wildcards.labels.startswith(PSEUDO)


def _valid_labels(wildcards: Any) -> str:
    return f"<results>/finetune/{wildcards.labels}/labels/valid.parquet"
