"""Stage transformer_lm: train a small Transformer language model of words, to rescore N-best lists.

wav2vec 2.0 (Baevski et al. 2020, §4.3) decodes with one of 20 layers trained on 800 million words; ten thousand
sentences suffice for much less. It is trained on the sentences of the stage word_lm, with the same ones held out.
"""

import copy
import logging
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from unscribed.artifacts import Pathlike, write_json
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.tables import SentenceTable
from unscribed.text.arpa import END, START, UNKNOWN, Arpa
from unscribed.text.lines import read_lines
from unscribed.text.ngram import BACKOFF, EPSILON, HELD_OUT, estimate
from unscribed.text.silence import strip_silence
from unscribed.text.transformer_model import TransformerLm, batches
from unscribed.text.word_lm import WordLmSettings

log = logging.getLogger(__name__)

WARMUP = 0.1  # share of the updates in which the learning rate rises; less may diverge
WEIGHT_DECAY = 0.1  # of AdamW: more keeps the weights smaller, against overfitting
MAX_GRADIENT_NORM = 1.0  # larger gradients are scaled down to it, so that no batch upsets the training
PATIENCE = 3  # epochs without a lower perplexity on the held-out sentences, after which training ends
EM_STEPS = 50  # for the weight of a mixture of two models
Sentences = Sequence[Sequence[str]]


class HeldOut:
    """Sentences to measure perplexity on; words that are not in `training` are `<unk>` in `inputs` and do not count.

    `counted` has a mask for each sentence, over its words and the end of the sentence.
    """

    def __init__(self, sentences: Sentences, training: Sentences) -> None:
        known = {word for line in training for word in line} | {END}
        self.sentences = sentences
        self.inputs = [[word if word in known else UNKNOWN for word in line] for line in sentences]
        self.counted = [np.array([word in known for word in [*line, END]]) for line in sentences]

    def log_probs(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Join the log probabilities that count; each row has those of a sentence's words and of its end."""
        kept = [row[counted] for row, counted in zip(rows, self.counted, strict=True)]
        return np.concatenate([np.zeros(0), *kept])


@dataclass(frozen=True)
class TransformerLmSettings:
    """Section `transformer_lm` of the configuration."""

    layers: int
    dims: int
    heads: int
    dropout: float
    word_dropout: float
    epochs: int
    batch_tokens: int
    learning_rate: float
    device: str


def transformer_lm(
    *,
    sentences: Pathlike,
    words: Pathlike,
    ngram: WordLmSettings,
    settings: TransformerLmSettings,
    seed: int,
    threads: int,
    model: Pathlike,
    report: Pathlike,
) -> None:
    """Write the model with the lowest perplexity on the held-out sentences, and a report that compares it with n-grams.

    `words` are the symbols of the stage word_lm. The report has the perplexities of this model, of n-grams (`ngram`)
    of the same training sentences, and of both interpolated, all on the same held-out words: those that occur in the
    training sentences. Raises UserError if there is no text, no GPU where one is asked for, and if training diverges in
    the first epoch.
    """
    torch.set_num_threads(threads)
    device = device_of(settings.device, "transformer_lm.device")
    lines = [kept for found in SentenceTable.read(sentences)["words"] if (kept := strip_silence(found))]
    if len(lines) < 2:
        raise UserError(f"{sentences} has {len(lines)} sentences: give more text.")
    training = [line for number, line in enumerate(lines) if number % HELD_OUT != seed % HELD_OUT]
    held_out = HeldOut(lines[seed % HELD_OUT :: HELD_OUT], training)
    trainer = Trainer(_vocabulary(words), training, held_out, settings, seed, device)
    started = time.monotonic()
    with out_of_memory("transformer_lm.batch_tokens", settings.batch_tokens):
        epoch = trainer.train()
    seconds = time.monotonic() - started
    trainer.lm.write(model)
    quality = compare(trainer.lm, training, held_out, ngram)
    write_json(report, {"sentences": len(lines), "epoch": epoch, "seconds": round(seconds, 1), **quality})
    log.info("the weights of epoch %d, after %.0f s: %s", epoch, seconds, quality)


class Trainer:
    """Training of the model `lm` on the sentences `training`, stopped by its perplexity on `held_out`."""

    def __init__(
        self,
        words: Sequence[str],
        training: Sentences,
        held_out: HeldOut,
        settings: TransformerLmSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.training, self.held_out = settings, training, held_out
        self.generator = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.lm = TransformerLm.create(
            words,
            layers=settings.layers,
            dims=settings.dims,
            heads=settings.heads,
            dropout=settings.dropout,
            positions=1 + max(map(len, training)),
        )
        self.lm.model.to(device)
        self.tokens = [self.lm.tokens(line) for line in training]
        self.optimizer = torch.optim.AdamW(
            self.lm.model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY
        )

    def train(self) -> int:
        """Train until the perplexity has not fallen for PATIENCE epochs; restore the best weights, return their epoch.

        A loss that is not finite ends the training; in the first epoch it raises UserError.
        """
        best, lowest, state = 0, math.inf, None
        for epoch in range(1, self.settings.epochs + 1):
            started = time.monotonic()
            loss = self.epoch(epoch)
            if not math.isfinite(loss):
                break
            scores = self.lm.token_log_probs(self.held_out.inputs, self.settings.batch_tokens)
            found = perplexity(self.held_out.log_probs(scores)) or math.exp(loss)
            log.info("epoch %d: training loss %.3f, perplexity %.2f, %.1f s", epoch, loss, found, _since(started))
            if found < lowest:
                best, lowest, state = epoch, found, copy.deepcopy(self.lm.model.state_dict())
            elif epoch - best >= PATIENCE:
                break
        if state is None:
            raise UserError("the language model's loss is not finite: lower transformer_lm.learning_rate.")
        self.lm.model.load_state_dict(state)
        return best

    def epoch(self, epoch: int) -> float:
        """Train on every sentence once; return the mean loss per token, or NaN if that of a batch was not finite."""
        self.lm.model.train()
        total, tokens = 0.0, 0
        order = batches([len(line) - 1 for line in self.tokens], self.settings.batch_tokens, self.generator)
        for place, numbers in enumerate(order):
            share = (epoch - 1 + (place + 1) / len(order)) / self.settings.epochs
            for group in self.optimizer.param_groups:
                group["lr"] = self.settings.learning_rate * schedule(share)
            batch = [self.tokens[number] for number in numbers]
            count = sum(map(len, batch)) - len(batch)
            loss = self.lm.losses(batch, [self._with_unknown(line) for line in batch]).sum() / count
            self.optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(self.lm.model.parameters(), MAX_GRADIENT_NORM)
            if not (math.isfinite(float(loss.detach())) and math.isfinite(float(norm))):
                log.warning("epoch %d: the loss is not finite; training ends with the best weights so far", epoch)
                return math.nan
            self.optimizer.step()
            total, tokens = total + float(loss.detach()) * count, tokens + count
        return total / tokens

    def _with_unknown(self, tokens: list[int]) -> list[int]:
        """Replace random words by `<unk>`: else the model learns rare words by heart, and never sees `<unk>`."""
        hidden = self.generator.random(len(tokens)) < self.settings.word_dropout
        hidden[0] = False
        return np.where(hidden, self.lm.ids[UNKNOWN], tokens).tolist()


def schedule(share: float) -> float:
    """Return the factor of the learning rate after `share` of the updates: linear warm-up, then a cosine to zero."""
    return share / WARMUP if share < WARMUP else 0.5 * (1 + math.cos(math.pi * (share - WARMUP) / (1 - WARMUP)))


def compare(lm: TransformerLm, training: Sentences, held_out: HeldOut, ngram: WordLmSettings) -> dict:
    """Measure the perplexities of `lm`, of n-grams of `training` and of both interpolated with the best weight."""
    ours = held_out.log_probs(lm.token_log_probs(held_out.inputs))
    if not len(ours):
        return {"perplexity": None}
    with tempfile.TemporaryDirectory() as folder:
        arpa = Path(folder, "training.arpa")
        estimate([" ".join(line) for line in training], arpa, ngram.order, ngram.prune, "word_lm.order")
        other = Arpa.read(arpa)
    theirs = held_out.log_probs([_ngram(other, line) for line in held_out.sentences])
    weight = mixture_weight(ours, theirs)
    mixed = np.logaddexp(ours + math.log(weight), theirs + math.log1p(-weight))
    return {
        "perplexity": perplexity(ours),
        "ngram_perplexity": perplexity(theirs),
        "interpolated_perplexity": perplexity(mixed),
        "interpolation_weight": weight,
        "held_out_tokens": len(ours),
        "held_out_unknown": sum(map(len, held_out.counted)) - len(ours),
    }


def perplexity(log_probs: np.ndarray) -> float | None:
    """Return the perplexity of tokens with these natural log probabilities; None without tokens."""
    return math.exp(-log_probs.mean()) if len(log_probs) else None


def mixture_weight(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the weight of the first of two models with which their mixture is best, by EM.

    `ours` and `theirs` are the models' log probabilities of the same tokens.
    """
    weight = 0.5
    for _ in range(EM_STEPS):
        share = 1 / (1 + np.exp(np.clip(theirs - ours, -500, 500)) * (1 - weight) / weight)
        weight = float(np.clip(share.mean(), 1e-3, 1 - 1e-3))
    return weight


def _ngram(arpa: Arpa, line: Sequence[str]) -> np.ndarray:
    """The natural log probabilities of the words of a sentence and of its end, (words + 1,)."""
    tokens = [START, *line, END]
    return np.array([arpa.log_prob(tuple(tokens[:place]), tokens[place]) for place in range(1, len(tokens))])


def _vocabulary(path: Pathlike) -> list[str]:
    """The words of a symbol table, without the symbols of graphs. Raises UserError if it has none."""
    found = [line.rpartition(" ")[0] for _, line in read_lines(path)]
    if not (words := [word for word in found if word and word not in (EPSILON, BACKOFF)]):
        raise UserError(f"{path} has no words: delete it and run the stage word_lm again.")
    return words


def _since(started: float) -> float:
    return time.monotonic() - started
