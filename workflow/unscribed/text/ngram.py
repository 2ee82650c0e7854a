"""Estimate an n-gram model of phones or words (Kneser-Ney smoothing), measure it and compile it to a graph."""

import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from unscribed.artifacts import atomic_path, write_json, write_lines
from unscribed.errors import UserError
from unscribed.text.arpa import END, START, UNKNOWN, Arpa
from unscribed.text.prune import prune_rare

HELD_OUT = 20  # one sentence in so many is held out for the perplexity: smaller is more exact, but trains on less text
EPSILON, BACKOFF = "<eps>", "#0"  # Kaldi's symbols of arcs without a word, and of back-off arcs
MAX_EXAMPLES = 5  # tokens named in an error message

log = logging.getLogger(__name__)


def symbol_table(tokens: Iterable[str]) -> list[str]:
    """Return the symbols of a graph in the order of their numbers: `<eps>` is 0, the tokens follow, `#0` is last."""
    return [EPSILON, *tokens, BACKOFF]


def write_symbols(path: str | Path, symbols: Sequence[str]) -> None:
    """Write a symbol table as OpenFst and Kaldi read it: `symbol number` per line."""
    write_lines(path, [f"{symbol} {number}" for number, symbol in enumerate(symbols)])


def ngram_model(
    sentences: Sequence[str],
    *,
    order: int,
    prune: Sequence[int],
    seed: int,
    symbols: Sequence[str],
    key: str,
    arpa: str | Path,
    fst: str | Path,
    report: str | Path,
) -> None:
    """Write the model of all sentences as ARPA and as graph, and a report with its perplexity.

    The perplexity is measured on one sentence in HELD_OUT, with a model of the others; `seed` decides which one.
    `prune` holds the smallest count of an n-gram per order, or nothing to keep all; `key` is the parameter that error
    messages name. Estimated by `lmplz` if it is on PATH, else by kaldingram. Raises UserError if the text is too small
    for the order or has tokens that are not among `symbols`.
    """
    held_out = sentences[seed % HELD_OUT :: HELD_OUT]
    training = [line for number, line in enumerate(sentences) if number % HELD_OUT != seed % HELD_OUT]
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "training.arpa")
        if held_out and training:
            estimate(training, part, order, prune, key)
        quality = perplexity(Arpa.read(part) if part.exists() else None, held_out)
    with atomic_path(arpa) as temporary:
        estimate(sentences, temporary, order, prune, key)
    counts = compile_fst(arpa, symbols, fst).counts
    tool = "lmplz" if shutil.which("lmplz") else "kaldingram"
    ngrams = {str(length): count for length, count in enumerate(counts, start=1)}
    write_json(report, {"order": order, "sentences": len(sentences), "tool": tool, "ngrams": ngrams, **quality})
    log.info("order %d by %s on %d sentences: %s n-grams", order, tool, len(sentences), sum(counts))
    log.info(
        "perplexity on %d held-out sentences: %s; %d tokens unknown",
        len(held_out),
        quality["perplexity"],
        quality["held_out_unknown"],
    )


def perplexity(arpa: Arpa | None, sentences: Iterable[str]) -> dict[str, float | int | None]:
    """Measure the perplexity per token, `</s>` included; tokens unknown to the model are counted and left out.

    `oov_rate` is the share of unknown tokens, `</s>` not counted. Both are None without a model or without tokens.
    """
    total, tokens, unknown, ends = 0.0, 0, 0, 0
    for sentence in sentences if arpa else ():
        history: tuple[str, ...] = (START,)
        for token in [*sentence.split(), END]:
            if (token,) in arpa.log_probs and token != UNKNOWN:
                total += arpa.log_prob(history, token)
                tokens += 1
            else:
                unknown += 1
            history = (*history, token)[-arpa.order :]
        ends += 1
    spoken = tokens + unknown - ends
    return {
        "perplexity": math.exp(-total / tokens) if tokens else None,
        "held_out_tokens": tokens,
        "held_out_unknown": unknown,
        "oov_rate": unknown / spoken if spoken else None,
    }


def check_vocabulary(unigrams: Iterable[str], symbols: Sequence[str], path: str | Path) -> None:
    """Raise UserError if the model in `path` has tokens that are not among `symbols`, or no tokens at all.

    The model may lack symbols: a word of the lexicon that is in no sentence has no path through the graph.
    """
    tokens = set(unigrams) - {START, END, UNKNOWN}
    if missing := sorted(tokens.difference(symbols)):
        raise UserError(
            f"{path} has {len(missing)} token(s) that are not in the symbol table, for example "
            f"{', '.join(missing[:MAX_EXAMPLES])}: the model and the table come from different texts. Delete both and "
            "run their stages again."
        )
    if not tokens:
        raise UserError(
            f"{path} has no token of the symbol table ({', '.join(symbols[1 : MAX_EXAMPLES + 1])}, …): it comes from "
            "an empty text. Delete it and run its stage again on more text."
        )


def compile_fst(arpa: str | Path, symbols: Sequence[str], fst: str | Path) -> Arpa:
    """Write the model in `arpa` as a binary OpenFst graph, with `#0` on its back-off arcs; return the model.

    Weights are negative natural logarithms; `symbols` are numbered from 0. Raises UserError if the file is empty or
    damaged (see `Arpa.read`) or does not fit the symbols.
    """
    model = Arpa.read(arpa)  # checked before kaldilm, which crashes on a damaged file or makes an empty graph
    check_vocabulary((ngram[0] for ngram in model.log_probs if len(ngram) == 1), symbols, arpa)
    with tempfile.TemporaryDirectory() as folder, atomic_path(fst) as temporary:
        table = Path(folder, "symbols.txt")
        write_symbols(table, symbols)
        # In its own process: beside the other wrappers of Kaldi, importing kaldilm never ends.
        command = [sys.executable, "-m", "kaldilm", "--read-symbol-table", str(table), "--disambig-symbol", BACKOFF]
        command += [str(arpa), str(temporary)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        if done.returncode or not temporary.exists():
            raise UserError(
                f"kaldilm could not compile {arpa} ({_last_line(done.stderr)}). Delete it and run its stage again."
            )
    return model


def estimate(sentences: Sequence[str], arpa: Path, order: int, prune: Sequence[int], key: str) -> None:
    """Write a model of `sentences` as ARPA; `prune` and `key` as in `ngram_model`. Raises UserError if that fails.

    The estimator runs in its own process, which frees the memory of its counts and keeps its progress bars off the
    terminal.
    """
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        write_lines(text, sentences)
        command = _command(text, arpa, order, prune)
        environment = {**os.environ, "TQDM_DISABLE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    tool = "lmplz" if command[0] == "lmplz" else "kaldingram"
    if done.returncode:
        raise UserError(
            f"{tool} could not estimate a model of order {order} from {len(sentences)} sentence(s) "
            f"({_last_line(done.stderr)}). Give more text or lower {key}{_hint(tool, order)}."
        )
    if prune and tool == "kaldingram":
        prune_rare(Arpa.read(arpa), sentences, prune).write(arpa)


def _command(text: Path, arpa: Path, order: int, prune: Sequence[int]) -> list[str]:
    if shutil.which("lmplz"):
        # Few phones occur just once, twice or three times; without these counts, lmplz needs fall-back discounts.
        command = ["lmplz", "-o", str(order), "-S", "1G", "--discount_fallback"]
        if prune:  # lmplz drops counts up to a threshold
            command += ["--prune", *(str(count - 1) for count in prune)]
        return [*command, "--text", str(text), "--arpa", str(arpa)]
    command = [sys.executable, "-m", "kaldingram.train", "--ngram-order", str(order)]
    return [*command, "--text", str(text), "--lm", str(arpa)]


def _hint(tool: str, order: int) -> str:
    return "; for orders above 5, put lmplz of KenLM on PATH" if tool == "kaldingram" and order > 5 else ""


def _last_line(message: str) -> str:
    return (message.strip().splitlines() or ["no message"])[-1]
