"""Checkpoints that the configuration names: what is known of them before any work, and checks of the sections about
them: features, pretrain, finetune.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from unscribed.config.feature_kinds import LEARNED, LearnedKind
from unscribed.config.problems import Json, needs, ordered

MFCC = "mfcc"  # as pretrain.targets: no checkpoint
PRETRAIN = "pretrain"  # as features.checkpoint: the model that the stage pretrain makes
LEARNED_FROM_LABELS = re.compile(r"/finetune/(10min|1h|10h|all)/")


def hop_ms(config: Json) -> float:
    """Milliseconds from one frame to the next; those of a checkpoint on the hub are taken to be the usual ones."""
    kind = LEARNED.get(config["features"]["kind"])
    if not kind:
        return float(config["features"]["hop_ms"])
    strides = encoder_sizes(config, kind).get("strides", [kind.hop_samples])
    return 1000 * math.prod(strides) / config["audio"]["sample_rate_hz"]


def encoder_sizes(config: Json, kind: LearnedKind) -> Json:
    """`strides`, `dims` and `blocks` of the model that makes the features, as far as they are known before any work.

    A damaged file is left to the stage that reads the model.
    """
    name = config["features"]["checkpoint"]
    path = Path(config["pretrain"]["model"]) if name == PRETRAIN else Path(name).expanduser() / "config.json"
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))  # which JSON is a part of
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    found = found if isinstance(found, dict) else {}
    sizes = {"strides": found.get(kind.strides), "dims": found.get(kind.dims), "blocks": found.get(kind.blocks)}
    return {name: value for name, value in sizes.items() if _fits(value, many=name == "strides")}


def _fits(value: Any, many: bool) -> bool:
    """Whether a value of config.json is a whole number, or a list of `many`."""
    if many:
        return isinstance(value, list) and all(isinstance(one, int) for one in value)
    return isinstance(value, int)


def check_features(config: Json) -> Iterator[str]:
    """What is wrong with the checkpoint that the features come from."""
    features = config["features"]
    name, layer = features["checkpoint"], features["layer"]
    kind = LEARNED.get(features["kind"])
    if not kind:
        return
    yield from _checkpoint(name, "features.checkpoint")
    yield from _unlabelled(name, "features.checkpoint")
    blocks = encoder_sizes(config, kind).get("blocks", layer)
    if layer > blocks:
        yield f"features.layer: {layer} is more than the {blocks} blocks of {name}; choose 0 to {blocks}"


def check_pretrain(config: Json) -> Iterator[str]:
    """What is wrong with the section `pretrain`, as far as it is used."""
    pretrain, features = config["pretrain"], config["features"]
    if PRETRAIN in (features["checkpoint"] * (features["kind"] in LEARNED), config["finetune"]["checkpoint"]):
        yield from needs(pretrain["model"], "pretrain.model", "a file of config/models", Path.is_file)
    if pretrain["objective"] == "clusters" and pretrain["targets"] != MFCC:
        yield from _checkpoint(pretrain["targets"], "pretrain.targets")
        yield from _unlabelled(pretrain["targets"], "pretrain.targets")
        if pretrain["targets"] == PRETRAIN:
            yield "pretrain.targets: a model cannot learn from itself; name the folder of an earlier one"
    yield from _languages(pretrain["languages"], "pretrain.languages", config["corpus"]["language"], "vad")
    first, last = pretrain["gumbel_temperature"]
    if first < last:
        yield f"pretrain.gumbel_temperature: falls from the first to the last, and cannot from {first} to {last}"


def check_finetune(config: Json) -> Iterator[str]:
    """What is wrong with the section `finetune`, if it has labels to learn from."""
    finetune, corpus = config["finetune"], config["corpus"]
    if not finetune["labels"]:
        return
    yield from _checkpoint(finetune["checkpoint"] or config["features"]["checkpoint"], "finetune.checkpoint")
    if "pseudo" in finetune["labels"]:
        yield from _unlabelled(finetune["checkpoint"], "finetune.checkpoint")
    few = [name for name in finetune["labels"] if name != "pseudo"]
    if few and corpus["kind"] == "folder" and not corpus["folder"]["transcripts"]:
        yield f"finetune.labels: {few[0]} needs corpus.folder.transcripts; set it, or take pseudo alone"
    yield from _languages(finetune["languages"], "finetune.languages", corpus["language"], "finetune")
    yield from ordered(finetune, "finetune", "freeze_updates", "updates")


def _checkpoint(name: str, key: str) -> Iterator[str]:
    """What can be said of a checkpoint by its name alone: whether the hub knows it is left to the stage."""
    if not name:
        yield (
            f"{key}: is empty; set it to a folder, a model's name on the Hugging Face hub, or to {PRETRAIN}, which "
            "trains one on this corpus"
        )
    elif not Path(name).expanduser().is_dir() and (name[0] in "./~" or name.partition("@")[0].count("/") > 1):
        yield f"{key}: {name} does not exist (wanted: a folder, relative to {Path.cwd()})"


def _unlabelled(name: str, key: str) -> Iterator[str]:
    """The label firewall: Snakemake cannot see what made a folder that the configuration names."""
    if LEARNED_FROM_LABELS.search(Path(name).expanduser().resolve().as_posix()):
        yield f"{key}: {name} was fine-tuned with transcripts, which must not reach what learns without; name another"


def _languages(languages: list[Json], key: str, own: str, stage: str) -> Iterator[str]:
    """Other corpora that take part: each with a name of its own, and with the results of a stage."""
    names = [own, *(audio["language"] for audio in languages)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{key}: the language {name} is there twice (corpus.language is {own}); give each corpus another name"
    for number, audio in enumerate(languages):
        if not (Path(audio["results"]) / stage).is_dir():
            yield (
                f"{key}[{number}].results: {audio['results']} has no {stage}; run `snakemake {stage}` with the "
                f"configuration of that corpus first, or correct the folder (relative to {Path.cwd()})"
            )
