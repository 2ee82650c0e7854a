"""Checks of the sections about pretrained models (features, pretrain, finetune), and what is known before loading one.

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

MFCC = "mfcc"  # value of pretrain.targets: clusters of MFCCs, not of a checkpoint's states
PRETRAIN = "pretrain"  # value of features.checkpoint, among others: the model that the stage pretrain makes
LEARNED_FROM_LABELS = re.compile(r"/finetune/(10min|1h|10h|all)/")  # in the path of a model that has seen transcripts


def hop_ms(config: Json) -> float:
    """Return the hop between frames in ms; for a checkpoint on the hub, that of the published models of its kind."""
    kind = LEARNED.get(config["features"]["kind"])
    if not kind:
        return float(config["features"]["hop_ms"])
    strides = encoder_sizes(config, kind).get("strides", [kind.hop_samples])
    return 1000 * math.prod(strides) / config["audio"]["sample_rate_hz"]


def encoder_sizes(config: Json, kind: LearnedKind) -> Json:
    """Return `strides`, `dims` and `blocks` of the model that makes the features, those that its configuration has.

    A missing or damaged file gives none of them; the stage that loads the model reports it.
    """
    name = config["features"]["checkpoint"]
    path = Path(config["pretrain"]["model"]) if name == PRETRAIN else Path(name).expanduser() / "config.json"
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is valid YAML
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    found = found if isinstance(found, dict) else {}
    sizes = {"strides": found.get(kind.strides), "dims": found.get(kind.dims), "blocks": found.get(kind.blocks)}
    return {name: value for name, value in sizes.items() if _fits(value, many=name == "strides")}


def _fits(value: Any, many: bool) -> bool:
    """Whether a value of config.json is a whole number, or with `many` a list of them."""
    if many:
        return isinstance(value, list) and all(isinstance(one, int) for one in value)
    return isinstance(value, int)


def check_features(config: Json) -> Iterator[str]:
    """Yield the mistakes about the checkpoint that makes the features."""
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
    """Yield the mistakes in the section `pretrain`; the model's file matters only if a stage uses the model."""
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
        yield f"pretrain.gumbel_temperature: must not rise from its first value {first} to its last {last}; swap them"


def check_finetune(config: Json) -> Iterator[str]:
    """Yield the mistakes in the section `finetune`, if it asks for any model."""
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
    """Yield the mistakes that the name alone shows; whether the hub has such a model is left to the stage."""
    if not name:
        yield (
            f"{key}: is empty; set it to a folder, a model's name on the Hugging Face hub, or to {PRETRAIN}, which "
            "trains one on this corpus"
        )
    elif not Path(name).expanduser().is_dir() and (name[0] in "./~" or name.partition("@")[0].count("/") > 1):
        yield f"{key}: {name} does not exist (wanted: a folder, relative to {Path.cwd()})"


def _unlabelled(name: str, key: str) -> Iterator[str]:
    """Yield a mistake if the model was fine-tuned with transcripts (the label firewall).

    Snakemake cannot tell: a folder that the configuration names has no rule that made it.
    """
    if LEARNED_FROM_LABELS.search(Path(name).expanduser().resolve().as_posix()):
        yield f"{key}: {name} was fine-tuned with transcripts, which unsupervised stages must not use; name another"


def _languages(languages: list[Json], key: str, own: str, stage: str) -> Iterator[str]:
    """Yield a mistake for each other corpus whose language is not unique or that lacks the results of `stage`."""
    names = [own, *(audio["language"] for audio in languages)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{key}: the language {name} is listed twice (corpus.language is {own}); give each corpus another name"
    for number, audio in enumerate(languages):
        if not (Path(audio["results"]) / stage).is_dir():
            yield (
                f"{key}[{number}].results: {audio['results']} has no {stage}; run `snakemake {stage}` with the "
                f"configuration of that corpus first, or correct the folder (relative to {Path.cwd()})"
            )
