"""Values of the configuration that clash, and files that it names and that are not there.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from unscribed.config.kinds import DATASET, KINDS
from unscribed.config.schema import Json, stop_for
from unscribed.languages import unknown_language

MFCC = "mfcc"  # as pretrain.targets: no checkpoint
PRETRAIN = "pretrain"  # as features.checkpoint: the model that the stage pretrain makes
WAV2VEC_HOP_SAMPLES = 320  # of all published models
SILERO_RATES_HZ = (8000, 16000)
KALDINGRAM_MAX_ORDER = 5
LEARNED_FROM_LABELS = re.compile(r"/finetune/(10min|1h|10h|all)/")


def check(config: Json) -> None:
    """Check that the values of a complete configuration fit each other and that its files and folders exist.

    Raises UserError with one line per mistake. Paths are relative to the working directory.
    """
    sections = (_corpus, _audio, _wav2vec, _pretrain, _text, _models, _gan, _finetune)
    stop_for([problem for section in sections for problem in section(config)])


def hop_ms(config: Json) -> float:
    """Milliseconds from one frame to the next; those of a checkpoint on the hub are taken to be the usual ones."""
    features = config["features"]
    if features["kind"] != "wav2vec":
        return float(features["hop_ms"])
    strides = _encoder(config).get("conv_stride", [WAV2VEC_HOP_SAMPLES])
    return 1000 * math.prod(strides) / config["audio"]["sample_rate_hz"]


def _corpus(config: Json) -> Iterator[str]:
    corpus, kind = config["corpus"], config["corpus"]["kind"]
    known = KINDS[kind]
    section, name = corpus[known.section], f"corpus.{known.section}"
    if kind == "folder":
        yield from _needs(section["audio"], f"{name}.audio", "the folder of the audio files", Path.is_dir)
    if known.section == DATASET:
        yield from _needs(section["root"], f"{name}.root", f"the folder of the unpacked {kind} corpus", Path.is_dir)
    if known.text == "file":
        yield from _needs(section["text"], f"{name}.text", "a text file, one sentence per line", Path.is_file)
    elif section.get("text"):
        yield f"{name}.text: {kind} brings its own text, as {known.text}; leave it empty"
    if kind == "folder" and section["transcripts"]:
        yield from _needs(section["transcripts"], f"{name}.transcripts", "a TSV file", Path.is_file)
    if section.get("valid_fraction", 0) + section.get("test_fraction", 0) >= 1:
        yield f"{name}.valid_fraction and test_fraction leave nothing for training; lower them"
    if known.speaks:
        yield from _order(section, name, "min_words", "max_words")


def _audio(config: Json) -> Iterator[str]:
    features, pca = config["features"], config["pca"]
    yield from _order(config["audio"], "audio", "min_seconds", "max_seconds", strict=True)
    rate = config["audio"]["sample_rate_hz"]
    if config["vad"]["method"] == "silero" and rate not in SILERO_RATES_HZ:
        yield f"vad.method: silero needs audio.sample_rate_hz 8000 or 16000, not {rate}; set it, or use energy"
    if features["kind"] == "mfcc":
        yield from _order(features, "features", "coefficients", "mel_bins")
    static = features["coefficients" if features["kind"] == "mfcc" else "mel_bins"]
    dims = static * (3 if features["deltas"] else 1)
    if features["kind"] == "wav2vec":
        dims = _encoder(config).get("hidden_size", pca["dims"])  # of a model on the hub nothing is known yet
    width = dims * (2 * pca["context_frames"] + 1)
    if pca["dims"] > width:
        frames = f"{dims} features of {2 * pca['context_frames'] + 1} frame(s)"
        yield f"pca.dims: {pca['dims']} is more than the {width} of its input ({frames}); lower it"


def _wav2vec(config: Json) -> Iterator[str]:
    features = config["features"]
    name, layer = features["checkpoint"], features["layer"]
    if features["kind"] != "wav2vec":
        return
    yield from _checkpoint(name, "features.checkpoint")
    yield from _unlabelled(name, "features.checkpoint")
    blocks = _encoder(config).get("num_hidden_layers", layer)
    if layer > blocks:
        yield f"features.layer: {layer} is more than the {blocks} blocks of {name}; choose 0 to {blocks}"


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


def _encoder(config: Json) -> Json:
    """Sizes of the model that makes the features, as far as they are known before any work; keys as in its config.json.

    A damaged file is left to the stage that reads the model.
    """
    name = config["features"]["checkpoint"]
    path = Path(config["pretrain"]["model"]) if name == PRETRAIN else Path(name).expanduser() / "config.json"
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))  # which JSON is a part of
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    sizes = {
        "conv_stride": lambda value: isinstance(value, list) and all(isinstance(stride, int) for stride in value),
        "hidden_size": lambda value: isinstance(value, int),
        "num_hidden_layers": lambda value: isinstance(value, int),
    }
    found = found if isinstance(found, dict) else {}
    return {key: found[key] for key, fits in sizes.items() if key in found and fits(found[key])}


def _text(config: Json) -> Iterator[str]:
    kind, backend = config["corpus"]["kind"], config["phonemize"]["backend"]
    if _speaks(config) and (problem := unknown_language(config["corpus"]["language"])):
        yield f"corpus.language: {problem}"
    yield from _order(config["normalize"], "normalize", "min_words", "max_words")
    text = KINDS[kind].text
    if text == "phones" and backend != "phones":
        yield f"phonemize.backend: {backend} cannot read the text of {kind}, which is phones already; set it to phones"
    if text == "words" and backend == "phones":
        yield f"phonemize.backend: phones does not fit corpus.kind {kind}, whose text is words; set it to espeak"
    if backend == "phones" and config["silence"]["probability"] > 0:
        yield "silence.probability: would put silence between the phones of one word; set it to 0.0"


def _speaks(config: Json) -> bool:
    """Whether eSpeak NG makes phones of words: of the text, or of the transcripts."""
    kind = config["corpus"]["kind"]
    transcribed = bool(config["corpus"]["folder"]["transcripts"]) if kind == "folder" else kind != "timit"
    return config["phonemize"]["backend"] == "espeak" or transcribed


def _models(config: Json) -> Iterator[str]:
    words = config["word_lm"]
    order, prune = words["order"], words["prune"]
    orders = {"phone_lm.orders": max(config["phone_lm"]["orders"]), "word_lm.order": order}
    for key, highest in orders.items():
        if highest > KALDINGRAM_MAX_ORDER and not shutil.which("lmplz"):
            yield f"{key}: {highest} needs lmplz of KenLM on PATH; install it, or stay below {KALDINGRAM_MAX_ORDER + 1}"
    if config["hmm"]["lm_order"] not in config["phone_lm"]["orders"]:
        yield f"hmm.lm_order: {config['hmm']['lm_order']} is not one of phone_lm.orders; add it there"
    if prune and len(prune) != order:
        yield f"word_lm.prune: wanted one number for each order (word_lm.order is {order}), or [], found {len(prune)}"
    if prune and prune[0] > 1:
        yield f"word_lm.prune: starts with {prune[0]}, but no word may be left out; start with 1"
    transformer = config["transformer_lm"]
    if transformer["dims"] % transformer["heads"]:
        yield (
            f"transformer_lm.dims: {transformer['dims']} is no multiple of transformer_lm.heads, which is "
            f"{transformer['heads']}; change one of them"
        )
    if prune != sorted(prune):
        yield "word_lm.prune: its numbers must not fall from one order to the next; raise the later ones"


def _gan(config: Json) -> Iterator[str]:
    gan, warm = config["gan"], "match" in config["gan"]["start"]
    if not gan["seeds"]:
        return
    if gan["input"] != "frames" and gan["auxiliary"]:
        yield "gan.auxiliary: pseudo-labels belong to frames; set gan.input: frames, or gan.auxiliary: 0"
    if gan["auxiliary"] and not gan["residual"]:
        yield "gan.auxiliary: the residual layer predicts the pseudo-labels; set gan.residual: true, or auxiliary: 0"
    if warm and (gan["input"] == "frames" or gan["stride"] > 1):
        yield "gan.start: match labels segments, one by one; set gan.input: segments and stride: 1, or start: [random]"
    if (warm or gan["input"] == "decoded") and gan["match_round"] > config["match"]["rounds"]:
        yield f"gan.match_round: {gan['match_round']} is more than match.rounds, which is {config['match']['rounds']}"


def _pretrain(config: Json) -> Iterator[str]:
    pretrain, features = config["pretrain"], config["features"]
    if PRETRAIN in (features["checkpoint"] * (features["kind"] == "wav2vec"), config["finetune"]["checkpoint"]):
        yield from _needs(pretrain["model"], "pretrain.model", "a file of config/models", Path.is_file)
    if pretrain["objective"] == "clusters" and pretrain["targets"] != MFCC:
        yield from _checkpoint(pretrain["targets"], "pretrain.targets")
        yield from _unlabelled(pretrain["targets"], "pretrain.targets")
        if pretrain["targets"] == PRETRAIN:
            yield "pretrain.targets: a model cannot learn from itself; name the folder of an earlier one"
    yield from _languages(pretrain["languages"], "pretrain.languages", config["corpus"]["language"], "vad")
    first, last = pretrain["gumbel_temperature"]
    if first < last:
        yield f"pretrain.gumbel_temperature: falls from the first to the last, and cannot from {first} to {last}"


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


def _finetune(config: Json) -> Iterator[str]:
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
    yield from _order(finetune, "finetune", "freeze_updates", "updates")


def _needs(value: str, key: str, what: str, exists: Any) -> Iterator[str]:
    if not value:
        yield f"{key}: is empty; set it to {what}"
    elif not exists(Path(value)):
        yield f"{key}: {value} does not exist (wanted: {what}, relative to {Path.cwd()})"


def _order(section: Json, name: str, low: str, high: str, strict: bool = False) -> Iterator[str]:
    if section[low] > section[high] or (strict and section[low] == section[high]):
        wanted = "below" if strict else "at most"
        yield f"{name}.{low}: {section[low]} must be {wanted} {name}.{high}, which is {section[high]}"
