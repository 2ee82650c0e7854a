"""Self-training of HMMs: the labels that each step learns from, the text and labels that each place uses.

A place is a folder with a model: hmm/cycle1/step1, … and hmm/final, or supervised/step1, … of the topline.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HmmPlan:
    """The number of `cycles` and the `steps` of each, as in the configuration.

    `labels`: for each step, what it labels the audio with for the next step: n-grams of phones, of words, or of words
    with phones where none fits (open). What the last step has decodes the final phones. `frames`: the stage whose
    frames the HMMs model. A step may be passed over where the one before it has settled (`before`).
    """

    cycles: int
    steps: list[Mapping[str, Any]]
    frames: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "HmmPlan":
        """Read the section `hmm`; diagonal covariances need decorrelated frames: MFCCs, or any features after PCA."""
        hmm = config["hmm"]
        frames = "features" if config["features"]["kind"] == "mfcc" else "pca"
        return cls(hmm["cycles"], hmm["steps"], frames)

    @property
    def labels(self) -> list[str]:
        """What each step labels the audio with."""
        return [step["labels"] for step in self.steps]

    def kind(self, wildcards: Any) -> dict[str, Any]:
        """Return what the model of a {step} is, and nothing of the other steps: more steps leave those before alone."""
        step = self.steps[int(wildcards.step) - 1]
        return {key: step[key] for key in ("features", "gaussians", "network")}

    @property
    def last_step(self) -> int:
        """The number of the last step of a cycle; steps count from 1."""
        return len(self.labels)

    @property
    def projection(self) -> str | list[str]:
        """The file of the PCA that the frames of the HMMs come from, if they do."""
        return "<results>/pca/pca.safetensors" if self.frames == "pca" else []

    def store(self, split: str) -> str:
        """Return the frames of one split."""
        return f"<results>/{self.frames}/{split}.npy"

    def ends(self, name: str) -> list[str]:
        """Return the file `name` of the last step of every cycle."""
        return [self.end(cycle, name) for cycle in range(1, self.cycles + 1)]

    def end(self, cycle: int | str, name: str) -> str:
        """Return the file `name` of the last step of a cycle."""
        return f"<results>/hmm/cycle{cycle}/step{self.last_step}/{name}"

    def rivals(self) -> list[str]:
        """Return the phones of train after each cycle, which tell the best cycle: none if there is only one."""
        return self.ends(f"{self.labels[-1]}/train.parquet") if self.cycles > 1 else []

    def decodes(self, name: str) -> list[str]:
        """Return the file `name` of what each step of each cycle decodes with, the final phones' last."""
        return [
            f"<results>/hmm/cycle{cycle}/step{step}/{lm}/{name}"
            for cycle in range(1, self.cycles + 1)
            for step, lm in enumerate(self.labels[:-1], start=1)
        ] + [self.final(name)]

    def final(self, name: str) -> str:
        """Return the file `name` of what the final phones are decoded with."""
        return f"<results>/hmm/final/{self.labels[-1]}/{name}"

    def step_labels(self, wildcards: Any) -> str:
        """Return the labels that a {step} of a {cycle} learns from: the mapping's, then those of the step before."""
        cycle, step = int(wildcards.cycle), int(wildcards.step)
        if step == 1:
            return mapping_labels(cycle, "train")
        return f"<results>/hmm/cycle{cycle}/step{step - 1}/{self.labels[step - 2]}/train.parquet"

    def spelling(self, wildcards: Any) -> str | list[str]:
        """Return the n-grams of unknown words for a graph that has them."""
        return "<results>/word_lm/spelling.fst" if wildcards.lm == "open" else []

    def cycle_and_step(self, place: str) -> tuple[int, int]:
        """Return the numbers of a place; hmm/final counts as the last step of the last cycle."""
        found = re.fullmatch(r"hmm/cycle(\d+)/step(\d+)", place)
        return (int(found[1]), int(found[2])) if found else (self.cycles, self.last_step)

    def repeats(self, step: int) -> bool:
        """Tell whether a step labels the audio as the one before it did: with the same n-grams, networks or none.

        The second never counts: what the first is compared with is the mapping, which errs in its own way.
        """
        ways = [(entry["labels"], entry["network"]) for entry in self.steps]
        return step > 2 and ways[step - 1] == ways[step - 2]

    def before(self, name: str) -> Callable[[Any], str | list[str]]:
        """Find the file `name` of the step before one that may be passed over; other steps and places have none.

        `name` may have {labels}, which are the same for both steps, and {split}, of which train alone is passed on: the
        others may not be decoded at every step.
        """

        def find(wildcards: Any) -> str | list[str]:
            place = wildcards.get("place") or f"hmm/cycle{wildcards.cycle}/step{wildcards.step}"
            found = re.fullmatch(r"(hmm/cycle\d+/step)(\d+)", place)
            if not found or not self.repeats(int(found[2])):
                return []
            labels = self.labels[int(found[2]) - 1]
            if wildcards.get("lm", labels) != labels or wildcards.get("split", "train") != "train":
                return []
            file = name.format(labels=labels, split="train")
            return f"<results>/{found[1]}{int(found[2]) - 1}/{file}"

        return find

    def tuned_by(self, wildcards: Any) -> list[str]:
        """Return the places by whose agreement decoding at a {place} is tuned, the first whose model is another.

        It is the step before in the same cycle; for hmm/final, whose step may have been passed over, those before
        follow, up to one with another model. The topline has none, nor has a first step.
        """
        cycle, step = self.cycle_and_step(wildcards.place)
        if is_supervised(wildcards) or step == 1:
            return []
        learned = step  # the last step that is certain to have a model of its own
        while wildcards.place == "hmm/final" and self.repeats(learned):
            learned -= 1
        return [f"hmm/cycle{cycle}/step{number}" for number in range(step - 1, learned - 2, -1)]

    def partners(self, name: str) -> Callable[[Any], list[str]]:
        """Find the file `name` of the places that a {place} is tuned by; `name` may have the wildcard {lm}."""

        def find(wildcards: Any) -> list[str]:
            return [f"<results>/{place}/{name.format(lm=wildcards.lm)}" for place in self.tuned_by(wildcards)]

        return find

    def tuning_labels(self, wildcards: Any) -> str | list[str]:
        """Return the labels of valid by which decoding at a {place} is tuned: the mapping's where no step is before.

        For the topline they are the phones of the transcripts.
        """
        if is_supervised(wildcards):
            return "<results>/supervised/labels/valid.parquet"
        if self.tuned_by(wildcards):
            return []
        return mapping_labels(self.cycle_and_step(wildcards.place)[0], "valid")


def mapping_labels(cycle: int, split: str) -> str:
    """Return the phones of the mapping that a cycle starts from."""
    folder = "decode" if cycle == 1 else f"hmm/cycle{cycle}/mapping"
    return f"<results>/{folder}/{split}.parquet"


def is_supervised(wildcards: Any) -> bool:
    """Tell whether a {place} belongs to the topline."""
    return wildcards.place.startswith("supervised")


def place_text(name: str) -> Callable[[Any], str]:
    """Find the file `name` of lexicon or language models; those of the topline come from text with transcripts."""
    return lambda wildcards: f"<results>/{'supervised/' if is_supervised(wildcards) else ''}{name}"


def cycle_before(name: str) -> Callable[[Any], str]:
    """Find the file `name` of the segments of the cycle before the {cycle}."""
    return lambda wildcards: f"<results>/hmm/cycle{int(wildcards.cycle) - 1}/segments/{name}"


def supervised_step_labels(wildcards: Any) -> str:
    """Return the labels of a {step} of the topline: the flat start's, then those that the step before aligned."""
    step = int(wildcards.step)
    return f"<results>/supervised/{'labels' if step == 1 else f'step{step - 1}/aligned'}/train.parquet"
