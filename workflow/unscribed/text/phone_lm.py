"""Estimate the n-gram language model of the phone text (Kneser-Ney smoothing)."""

import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unscribed.artifacts import atomic_path, write_json, write_lines
from unscribed.errors import UserError
from unscribed.text.arpa import END, START, UNKNOWN, Arpa, bigram_log_probs, trigram_log_probs
from unscribed.text.lines import read_lines

__all__ = ["Arpa", "PhoneLmSettings", "bigram_log_probs", "perplexity", "phone_lm", "trigram_log_probs"]

HELD_OUT = 20  # every 20th sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhoneLmSettings:
    """Section `phone_lm` of the config."""

    order: int


def phone_lm(
    *, phones_text: str | Path, settings: PhoneLmSettings, seed: int, arpa: str | Path, report: str | Path
) -> None:
    """Write the n-gram model of all sentences, and a report with the perplexity of a model that misses every 20th.

    `seed` decides which sentence of each 20 is held out. Estimated by `lmplz` if it is on PATH, else by kaldingram.
    Raises UserError if the text is empty or too small for the order.
    """
    sentences = [line for _, line in read_lines(phones_text) if line.strip()]
    if not sentences:
        raise UserError(f"{phones_text} has no sentences: run the stages normalize and phonemize on more text.")
    held_out = sentences[seed % HELD_OUT :: HELD_OUT]
    training = [line for number, line in enumerate(sentences) if number % HELD_OUT != seed % HELD_OUT]
    quality: dict[str, float | int | None] = {"perplexity": None, "held_out_tokens": 0, "held_out_unknown": 0}
    if held_out and training:
        with tempfile.TemporaryDirectory() as folder:
            write_lines(Path(folder, "training.txt"), training)
            _estimate(Path(folder, "training.txt"), Path(folder, "training.arpa"), settings.order)
            quality = perplexity(Arpa.read(Path(folder, "training.arpa")), held_out)
    with atomic_path(arpa) as temporary:
        _estimate(Path(phones_text), temporary, settings.order)
        counts = Arpa.read(temporary).counts
    tool = "lmplz" if shutil.which("lmplz") else "kaldingram"
    ngrams = {str(order): count for order, count in enumerate(counts, start=1)}
    write_json(
        report,
        {"order": settings.order, "sentences": len(sentences), "tool": tool, "ngrams": ngrams, **quality},
    )
    log.info("order %d by %s on %d sentences: %s n-grams", settings.order, tool, len(sentences), sum(counts))
    log.info("perplexity on %d held-out sentences: %s", len(held_out), quality["perplexity"])


def perplexity(arpa: Arpa, sentences: Iterable[str]) -> dict[str, float | int | None]:
    """Perplexity per token, `</s>` included; tokens unknown to the model are counted and left out."""
    total, tokens, unknown = 0.0, 0, 0
    for sentence in sentences:
        history: tuple[str, ...] = (START,)
        for token in [*sentence.split(), END]:
            if (token,) in arpa.log_probs and token != UNKNOWN:
                total += arpa.log_prob(history, token)
                tokens += 1
            else:
                unknown += 1
            history = (*history, token)[-arpa.order :]
    value = math.exp(-total / tokens) if tokens else None
    return {"perplexity": value, "held_out_tokens": tokens, "held_out_unknown": unknown}


def _estimate(text: Path, arpa: Path, order: int) -> None:
    """Run the estimator in a process of its own: its counts leave memory, its progress bars stay off the terminal."""
    if shutil.which("lmplz"):
        # Phones are few and frequent: their counts of counts have holes, for which lmplz needs fall-back discounts.
        command = [
            "lmplz",
            "-o",
            str(order),
            "-S",
            "1G",
            "--discount_fallback",
            "--text",
            str(text),
            "--arpa",
            str(arpa),
        ]
    else:
        command = [sys.executable, "-m", "kaldingram.train", "--ngram-order", str(order), "--text", str(text)]
        command += ["--lm", str(arpa)]
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    if done.returncode:
        message = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(
            f"{command[0]} could not estimate a model of order {order} from {text} ({message}). "
            "Give more text or lower phone_lm.order."
        )
