"""The configuration: checked against the schema, completed with its defaults, checked for values that clash.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import difflib
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from unscribed.errors import UserError

PRETRAIN = "pretrain"  # as features.checkpoint: the model that the stage pretrain makes
WAV2VEC_HOP_SAMPLES = 320  # of all published models
DATASETS = ("librispeech", "timit", "mls", "commonvoice")
SYNTHESIZERS = ("espeak", "hibari")
BIBLE_READERS = (*SYNTHESIZERS, "asterisk")  # their text is words
SILERO_RATES_HZ = (8000, 16000)
KALDINGRAM_MAX_ORDER = 5
KINDS = {
    "object": "a section (indented `key: value` lines)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
RANGES = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")

Json = Mapping[str, Any]


def complete(config: Json, schema_path: str | Path) -> dict[str, Any]:
    """Return `config` with every default of the schema filled in; does not look at files.

    Raises UserError with one line per mistake: its key, what is wrong and what to write instead.
    """
    schema = yaml.safe_load(Path(schema_path).read_text(encoding="utf-8"))
    homes = _homes(schema)
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: _key(error.absolute_path))
    problems = [line for error in errors for line in _lines(error, homes)]
    _stop_for([*problems, *_not_finite(config, ())])
    return _filled(config, schema)


def check(config: Json) -> None:
    """Check that the values of a complete configuration fit each other and that its files and folders exist.

    Raises UserError with one line per mistake. Paths are relative to the working directory.
    """
    sections = (_corpus, _audio, _wav2vec, _text, _models, _gan, _finetune)
    _stop_for([problem for section in sections for problem in section(config)])


def hop_ms(config: Json) -> float:
    """Milliseconds from one frame to the next; those of a checkpoint on the hub are taken to be the usual ones."""
    features = config["features"]
    if features["kind"] != "wav2vec":
        return float(features["hop_ms"])
    strides = _encoder(config).get("conv_stride", [WAV2VEC_HOP_SAMPLES])
    return 1000 * math.prod(strides) / config["audio"]["sample_rate_hz"]


def _stop_for(problems: Sequence[str]) -> None:
    problems = list(dict.fromkeys(problems))  # two missing keys are reported once for each of them
    if problems:
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise UserError(f"{count} in the configuration (config/README.md explains every parameter):{listing}")


# Messages of the schema check


def _key(path: Sequence[Any]) -> str:
    """The dotted name of a place, for example `match.clusters[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _homes(schema: Json, path: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Where each key of the schema may stand: its name to the dotted names of its sections."""
    homes: dict[str, list[str]] = {}
    for name, child in schema.get("properties", {}).items():
        homes.setdefault(name, []).append(_key(path))
        for inner, places in _homes(child, (*path, name)).items():
            homes.setdefault(inner, []).extend(places)
    return homes


def _lines(error: ValidationError, homes: Mapping[str, list[str]]) -> Iterator[str]:
    key, schema, found = _key(error.absolute_path) or "the configuration", error.schema, error.instance
    if error.validator == "additionalProperties":
        known = schema["properties"]
        yield from (_unknown(error.absolute_path, name, known, homes) for name in found if name not in known)
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in found]
        yield from (_missing(_key([*error.absolute_path, name]), schema["properties"][name]) for name in missing)
    elif error.validator == "type":
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        wanted = " or ".join(KINDS[kind] for kind in kinds)
        yield f"{key}: wanted {wanted}, found {_described(found)}{_quoting(found, kinds)}"
    elif error.validator == "enum":
        choices = [str(choice) for choice in schema["enum"]]
        yield f"{key}: {found!r} is not one of {', '.join(choices)}{_did_you_mean(_nearest(found, choices))}"
    elif error.validator in RANGES:
        yield f"{key}: {found} is out of range, wanted {_range(schema)}"
    elif key == "corpus.name" and error.validator == "pattern":
        yield f"{key}: {found!r} cannot name a folder; use letters, digits, dots, hyphens and underscores"
    else:
        yield f"{key}: {error.message}"


def _missing(key: str, schema: Json) -> str:
    choices = f" as one of {', '.join(schema['enum'])}" if "enum" in schema else ""
    return f"{key}: is missing; add it{choices}"


def _unknown(path: Sequence[Any], name: Any, known: Json, homes: Mapping[str, list[str]]) -> str:
    start = f"{_key([*path, str(name)])}: unknown key"
    section, dot, last = str(name).rpartition(".")
    if dot and section in homes.get(last, ()):
        return f"{start}; write `{last}` indented below `{section.replace('.', ':` and `')}:`"
    if sections := homes.get(str(name)):
        places = " or ".join(f"`{section}`" if section else "the top level" for section in sections)
        return f"{start}; `{name}` belongs to {places}" + ("; check the indentation" if "" in sections else "")
    if near := _nearest(name, known):
        return f"{start}{_did_you_mean(_key([*path, near]))}"
    if near := _nearest(name, homes):
        return f"{start}{_did_you_mean(' or '.join(_key([*filter(None, [place]), near]) for place in homes[near]))}"
    return f"{start}; known here: {', '.join(known)}"


def _nearest(word: Any, known: Sequence[str] | Json) -> str | None:
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _did_you_mean(name: str | None) -> str:
    return f"; did you mean {name}?" if name else ""


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"a section with the keys {', '.join(map(str, value))}" if value else "an empty section"
    return f"the text {value!r}" if isinstance(value, str) else repr(value)


def _quoting(found: Any, wanted: Sequence[str]) -> str:
    """The hint for what YAML reads otherwise than it looks."""
    if found is None:
        return "; give a value, or remove the line for the default"
    if "string" in wanted and isinstance(found, (bool, int, float)):
        return "; put it in quotes"
    meant = isinstance(found, str) and (_is_number(found) or found.lower() in ("true", "false"))
    if not meant or {"integer", "number", "boolean"}.isdisjoint(wanted):
        return ""
    return (
        "; in a file, write it without quotes and an exponent as in 1.0e-3 "
        "(`--config` makes text of nested values: use a file and `--configfile`)"
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _range(schema: Json) -> str:
    """The allowed range in words, for example `above 0 and at most 1`."""
    words = dict(zip(RANGES, ("at least", "above", "at most", "below"), strict=True))
    return " and ".join(f"{words[name]} {schema[name]}" for name in RANGES if name in schema)


def _not_finite(value: Any, path: tuple[Any, ...]) -> Iterator[str]:
    """NaN and infinity pass every comparison of the schema."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _not_finite(child, (*path, name))
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{_key(path)}: wanted a finite number, found {value}"


def _filled(value: Any, schema: Json) -> Any:
    if schema.get("type") == "integer":
        return int(value)  # the schema takes 2.0 for a whole number, range() does not
    if isinstance(value, list):
        return [_filled(item, schema.get("items", {})) for item in value]
    if not isinstance(value, Mapping):
        return value
    properties = schema.get("properties", {})
    given = {name: value[name] if name in value else child.get("default") for name, child in properties.items()}
    return {name: _filled(child, properties[name]) for name, child in given.items()}


# Values that clash


def _corpus(config: Json) -> Iterator[str]:
    corpus, kind = config["corpus"], config["corpus"]["kind"]
    section = corpus.get(kind) or corpus["dataset"]
    name = f"corpus.{kind if kind in corpus else 'dataset'}"
    if kind == "folder":
        yield from _needs(section["audio"], f"{name}.audio", "the folder of the audio files", Path.is_dir)
        yield from _needs(section["text"], f"{name}.text", "a text file, one sentence per line", Path.is_file)
        if section["transcripts"]:
            yield from _needs(section["transcripts"], f"{name}.transcripts", "a TSV file", Path.is_file)
    if kind in DATASETS:
        yield from _needs(section["root"], f"{name}.root", f"the folder of the unpacked {kind} corpus", Path.is_dir)
    if kind in DATASETS and kind != "timit":
        yield from _needs(section["text"], f"{name}.text", "a text file, one sentence per line", Path.is_file)
    if kind == "timit" and section["text"]:
        yield f"{name}.text: TIMIT brings its own text, as phones; leave it empty"
    if section.get("valid_fraction", 0) + section.get("test_fraction", 0) >= 1:
        yield f"{name}.valid_fraction and test_fraction leave nothing for training; lower them"
    if kind in SYNTHESIZERS:
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
    yield from _order(config["normalize"], "normalize", "min_words", "max_words")
    if kind == "timit" and backend != "phones":
        yield f"phonemize.backend: {backend} cannot read TIMIT's text, which is phones already; set it to phones"
    if kind in BIBLE_READERS and backend == "phones":
        yield f"phonemize.backend: phones does not fit corpus.kind {kind}, whose text is words; set it to espeak"
    if backend == "phones" and config["silence"]["probability"] > 0:
        yield "silence.probability: would put silence between the phones of one word; set it to 0.0"


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


def _finetune(config: Json) -> Iterator[str]:
    finetune, corpus = config["finetune"], config["corpus"]
    if not finetune["labels"]:
        return
    yield from _checkpoint(finetune["checkpoint"] or config["features"]["checkpoint"], "finetune.checkpoint")
    few = [name for name in finetune["labels"] if name != "pseudo"]
    if few and corpus["kind"] == "folder" and not corpus["folder"]["transcripts"]:
        yield f"finetune.labels: {few[0]} needs corpus.folder.transcripts; set it, or take pseudo alone"
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
