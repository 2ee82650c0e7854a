"""Read and write n-gram language models in the ARPA format; query them, or expand them to dense arrays.

Dimensions: V phones. All probabilities are natural logarithms.
The lower orders of a Kneser-Ney model are made for back-off and are not frequencies of shorter n-grams: for exact
trigram probabilities, estimate a model of order 3.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.text.lines import read_lines

LOG_10 = math.log(10)  # ARPA files have logarithms to base 10
START, END, UNKNOWN = "<s>", "</s>", "<unk>"  # tokens with a fixed meaning in ARPA files
Ngram = tuple[str, ...]


class TrigramProbs(NamedTuple):
    """Dense log probabilities of phones.

    `next` (V, V, V): log P(next | h2 h1), index [h2, h1, next]; `start` (V,): log P(phone | <s>);
    `end` (V, V): log P(</s> | h2 h1); `second` (V, V): log P(next | <s> h1), index [h1, next].
    """

    next: np.ndarray
    start: np.ndarray
    end: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class Arpa:
    """A back-off n-gram model: `log_probs` and `backoffs` of n-grams; `counts` are the numbers of n-grams by order."""

    order: int
    counts: tuple[int, ...]
    log_probs: dict[Ngram, float]
    backoffs: dict[Ngram, float]

    @classmethod
    def read(cls, path: str | Path) -> "Arpa":
        """Read an ARPA file. Raises UserError, naming the line, if it is empty, damaged or cut off."""
        return _Reader(path).read()

    def write(self, path: str | Path) -> None:
        """Write the model as an ARPA file, with seven decimals."""
        lines = ["\\data\\", *(f"ngram {order}={count}" for order, count in enumerate(self.counts, start=1))]
        sections: list[list[str]] = [[] for _ in self.counts]
        for ngram, value in self.log_probs.items():
            backoff = f"\t{self.backoffs[ngram] / LOG_10:.7f}" if ngram in self.backoffs else ""
            sections[len(ngram) - 1].append(f"{value / LOG_10:.7f}\t{' '.join(ngram)}{backoff}")
        for order, section in enumerate(sections, start=1):
            lines += ["", f"\\{order}-grams:", *section]
        write_lines(path, [*lines, "", "\\end\\"])

    def log_prob(self, history: Ngram, token: str) -> float:
        """Return log P(token | history) by back-off; only the last order - 1 tokens of `history` count.

        An unknown token has the probability of `<unk>`, or -inf if the model has no `<unk>`.
        """
        history = history[max(0, len(history) - self.order + 1) :]
        weight = 0.0
        while True:
            found = self.log_probs.get((*history, token))
            if found is not None:
                return weight + found
            if not history:
                return weight + self.log_probs.get((UNKNOWN,), -math.inf)
            weight += self.backoffs.get(history, 0.0)
            history = history[1:]


class _Reader:
    """Parser of one file; `number` is the line read last, for error messages."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.number = 0
        self.counts: list[int] = []
        self.log_probs: dict[Ngram, float] = {}
        self.backoffs: dict[Ngram, float] = {}

    def read(self) -> Arpa:
        lines = self._lines()
        for line in lines:
            if line == "\\data\\":
                break
        else:
            raise self._error("there is no \\data\\ section")
        order = self._header(lines)
        while order:
            order = self._section(lines, order)
        return Arpa(len(self.counts), tuple(self.counts), self.log_probs, self.backoffs)

    def _lines(self) -> Iterator[str]:
        """Yield the lines that are not empty; `number` is that of the line, for messages."""
        for number, line in read_lines(self.path):
            self.number = number
            if line := line.strip():
                yield line

    def _header(self, lines: Iterator[str]) -> int:
        """Read `ngram n=count` lines up to the first section; return its order."""
        for line in lines:
            if line.startswith("\\"):
                return self._next_section(line, 1)
            name, _, count = line.partition("=")
            if name.split() != ["ngram", str(len(self.counts) + 1)] or not count.strip().isdecimal():
                raise self._error(f"expected `ngram {len(self.counts) + 1}=count`, found {line[:60]!r}")
            self.counts.append(int(count))
        raise self._error("the file ends in its header")

    def _section(self, lines: Iterator[str], order: int) -> int:
        """Read the n-grams of one order; return the order of the next section, 0 at the end."""
        for read, line in enumerate(lines):
            if line.startswith("\\") and (line == "\\end\\" or line.endswith("-grams:")):
                if read != self.counts[order - 1]:
                    raise self._error(f"{read} {order}-grams, but the header says {self.counts[order - 1]}")
                return self._next_section(line, order + 1)
            fields = line.split()
            try:
                ngram = tuple(fields[1 : order + 1])
                self.log_probs[ngram] = float(fields[0]) * LOG_10
                if len(fields) == order + 2:
                    self.backoffs[ngram] = float(fields[-1]) * LOG_10
                elif len(fields) != order + 1:
                    raise ValueError
            except (IndexError, ValueError):
                raise self._error(
                    f"expected `log10-probability {order} tokens [back-off]`, found {line[:60]!r}"
                ) from None
        raise self._error("the file ends without \\end\\")

    def _next_section(self, line: str, order: int) -> int:
        if line == "\\end\\" and 1 < order == len(self.counts) + 1:
            return 0
        if line != f"\\{order}-grams:" or order > len(self.counts):
            raise self._error(f"expected the section of {order}-grams or \\end\\, found {line[:60]!r}")
        return order

    def _error(self, what: str) -> UserError:
        return UserError(
            f"{self.path}, line {self.number}: {what}. The file is empty, damaged or not in ARPA format: "
            "delete it and run the stage that makes it again."
        )


def trigram_log_probs(path: str | Path, phones: Sequence[str]) -> TrigramProbs:
    """Read a model and return the probabilities of all trigrams of `phones`, float32, by back-off where needed.

    Raises UserError if the file is damaged or the model lacks a phone.
    """
    tokens = [*phones, START, END]
    arpa = _read_for(path, phones)
    table = _conditional(arpa, tokens, 3)
    start = _conditional(arpa, tokens, 2)
    size = len(phones)
    return TrigramProbs(
        table[:size, :size, :size],
        start[size, :size],
        table[:size, :size, size + 1],
        table[size, :size, :size],
    )


def _read_for(path: str | Path, phones: Sequence[str]) -> Arpa:
    """Read a model; raise UserError if it lacks a phone, `<s>` or `</s>`."""
    arpa = Arpa.read(path)
    if missing := [token for token in [*phones, START, END] if (token,) not in arpa.log_probs]:
        raise UserError(
            f"{path} has no probability for {', '.join(missing)}: it was estimated on other phones. Delete it and run "
            "the stage phone_lm again, or use the phone inventory it was made with."
        )
    return arpa


def _conditional(arpa: Arpa, tokens: list[str], order: int) -> np.ndarray:
    """Compute log P(last | others) of all n-grams of `tokens`, float32 with one axis per position, order by order."""
    index = {token: position for position, token in enumerate(tokens)}
    size = len(tokens)
    table = np.array([arpa.log_probs[(token,)] for token in tokens])
    for length in range(2, order + 1):
        weights = np.zeros((size,) * (length - 1))
        for history, weight in arpa.backoffs.items():
            if len(history) == length - 1 and all(token in index for token in history):
                weights[tuple(index[token] for token in history)] = weight
        table = weights[..., None] + table[None]
        for ngram, log_prob in arpa.log_probs.items():
            if len(ngram) == length and all(token in index for token in ngram):
                table[tuple(index[token] for token in ngram)] = log_prob
    return table.astype(np.float32)
