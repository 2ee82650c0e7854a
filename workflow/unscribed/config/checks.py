"""Check the values of the configuration against each other, and that the files that it names exist.

`checkpoints` checks the sections about pretrained models. Every Snakemake process loads this, on compute nodes
too: it imports nothing heavy.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from unscribed.config.checkpoints import check_features, check_finetune, check_pretrain, encoder_sizes
from unscribed.config.feature_kinds import LEARNED
from unscribed.config.kinds import DATASET, KINDS
from unscribed.config.problems import Json, needs, ordered, stop_for
from unscribed.languages import unknown_epitran, unknown_language

SILERO_RATES_HZ = (8000, 16000)  # the keys of SILERO_CELL in audio.vad, which is too slow to import here
KALDINGRAM_MAX_ORDER = 5  # kaldingram cannot estimate longer n-grams; lmplz can


def check(config: Json) -> None:
    """Check that the values of a complete configuration fit each other and that its files and folders exist.

    Raises UserError with one line per mistake. Paths are relative to the working directory.
    """
    of_models = (check_features, check_pretrain, check_finetune)
    sections = (_corpus, _audio, *of_models, _text, _spoken_text, _language_models, _gan)
    stop_for([problem for section in sections for problem in section(config)])


def _corpus(config: Json) -> Iterator[str]:
    corpus, kind = config["corpus"], config["corpus"]["kind"]
    known = KINDS[kind]
    section, name = corpus[known.section], f"corpus.{known.section}"
    if kind == "folder":
        yield from needs(section["audio"], f"{name}.audio", "the folder of the audio files", Path.is_dir)
    if known.section == DATASET:
        yield from needs(section["root"], f"{name}.root", f"the folder of the unpacked {kind} corpus", Path.is_dir)
    if known.text == "file":
        yield from needs(section["text"], f"{name}.text", "a text file, one sentence per line", Path.is_file)
    elif section.get("text"):
        yield f"{name}.text: {kind} brings its own text, as {known.text}; leave it empty"
    if kind == "folder" and section["transcripts"]:
        yield from needs(section["transcripts"], f"{name}.transcripts", "a TSV file", Path.is_file)
    if section.get("valid_fraction", 0) + section.get("test_fraction", 0) >= 1:
        yield f"{name}.valid_fraction and test_fraction leave nothing for training; lower them"
    if known.speaks:
        yield from ordered(section, name, "min_words", "max_words")


def _audio(config: Json) -> Iterator[str]:
    features, pca = config["features"], config["pca"]
    yield from ordered(config["audio"], "audio", "min_seconds", "max_seconds", strict=True)
    rate = config["audio"]["sample_rate_hz"]
    if config["vad"]["method"] == "silero" and rate not in SILERO_RATES_HZ:
        yield f"vad.method: silero needs audio.sample_rate_hz 8000 or 16000, not {rate}; set it, or use energy"
    if features["kind"] == "mfcc":
        yield from ordered(features, "features", "coefficients", "mel_bins")
    static = features["coefficients" if features["kind"] == "mfcc" else "mel_bins"]
    dims = static * (3 if features["deltas"] else 1)
    if kind := LEARNED.get(features["kind"]):
        dims = encoder_sizes(config, kind).get("dims", pca["dims"])  # the sizes of a model on the hub are unknown
    if config["segment"]["rate_hz"] and config["segment"]["pool_neighbours"]:
        yield "segment.pool_neighbours: segment.rate_hz merges segments already; set it to false, or rate_hz to null"
    width = dims * (2 * pca["context_frames"] + 1)
    if pca["dims"] > width:
        frames = f"{dims} features of {2 * pca['context_frames'] + 1} frame(s)"
        yield f"pca.dims: {pca['dims']} is more than the {width} of its input ({frames}); lower it"


def _text(config: Json) -> Iterator[str]:
    kind, backend = config["corpus"]["kind"], config["phonemize"]["backend"]
    language = config["corpus"]["language"]
    problem = unknown_epitran(language) if backend == "epitran" else unknown_language(language)
    if _speaks(config) and problem:
        others = "letters" if backend == "epitran" else "epitran or letters"
        yield f"corpus.language: {problem}; phonemize.backend: {others} does without it"
    if lexicon := config["phonemize"]["lexicon"]:
        yield from needs(lexicon, "phonemize.lexicon", "a file of `word<TAB>phones`", Path.is_file)
    if KINDS[kind].speaks and backend in ("epitran", "letters"):
        yield f"phonemize.backend: {backend} does not fit corpus.kind {kind}, which eSpeak NG's phones are known of"
    yield from ordered(config["normalize"], "normalize", "min_words", "max_words")
    text = KINDS[kind].text
    if text == "phones" and backend != "phones":
        yield f"phonemize.backend: {backend} cannot read the text of {kind}, which is phones already; set it to phones"
    if text == "words" and backend == "phones":
        yield f"phonemize.backend: phones does not fit corpus.kind {kind}, whose text is words; set it to espeak"
    if backend == "phones" and config["silence"]["probability"] > 0:
        yield "silence.probability: would put silence between the phones of one word; set it to 0.0"


def _spoken_text(config: Json) -> Iterator[str]:
    for key in ("rates_wpm", "pitches", "pitch_ranges"):
        low, high = config["speak"][key]
        if low > high:
            yield f"speak.{key}: begins with {low}, which is above {high}; put the lower one first"


def _speaks(config: Json) -> bool:
    """Whether the language must be one that phones can be made in: those of the text, or those of the transcripts."""
    kind = config["corpus"]["kind"]
    transcribed = bool(config["corpus"]["folder"]["transcripts"]) if kind == "folder" else KINDS[kind].text != "phones"
    backend = config["phonemize"]["backend"]
    return backend in ("espeak", "epitran") or (backend == "phones" and transcribed)


def _language_models(config: Json) -> Iterator[str]:
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
    gan = config["gan"]
    warm = [start for start in gan["start"] if start != "random"]
    if not gan["seeds"]:
        return
    if gan["input"] != "frames" and gan["auxiliary"]:
        yield "gan.auxiliary: pseudo-labels belong to frames; set gan.input: frames, or gan.auxiliary: 0"
    if gan["auxiliary"] and not gan["residual"]:
        yield "gan.auxiliary: the residual layer predicts the pseudo-labels; set gan.residual: true, or auxiliary: 0"
    if warm and (gan["input"] == "frames" or gan["stride"] > 1):
        yield (
            f"gan.start: a start from labels ({', '.join(warm)}) needs segments; set gan.input: segments and "
            "stride: 1, or start: [random]"
        )
    cut_by_match = gan["input"] == "decoded" and "teacher" not in warm
    if ("match" in warm or cut_by_match) and gan["match_round"] > config["match"]["rounds"]:
        yield f"gan.match_round: {gan['match_round']} is more than match.rounds, which is {config['match']['rounds']}"
