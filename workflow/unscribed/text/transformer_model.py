"""A Transformer language model of words: its folder, its losses, and log probabilities of sentences.

The architecture is GPT-2's (Radford et al. 2019), with embeddings that input and output share. The folder has the
layout of Hugging Face transformers, and `words.txt` with the number of each word.
Dimensions: B sentences of a batch, N tokens of the longest one, with `<s>` and `</s>`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging as transformers_logging

from unscribed.artifacts import Pathlike, atomic_folder
from unscribed.errors import UserError
from unscribed.text.arpa import END, START, UNKNOWN
from unscribed.text.lines import read_lines
from unscribed.text.ngram import write_symbols

SPECIAL = (START, END, UNKNOWN)  # the first of the vocabulary
WORDS_FILE = "words.txt"
IGNORED = -100  # target of padding, which has no loss; no word has this number


@dataclass(frozen=True)
class TransformerLm:
    """A model and the numbers of its words, from 0; `SPECIAL` come first."""

    model: GPT2LMHeadModel
    ids: dict[str, int]

    @classmethod
    def create(
        cls, words: Iterable[str], *, layers: int, dims: int, heads: int, dropout: float, positions: int
    ) -> "TransformerLm":
        """Create a model with random weights for sentences of up to `positions` tokens, `<s>` included."""
        ids = {word: number for number, word in enumerate([*SPECIAL, *words])}
        config = GPT2Config(
            vocab_size=len(ids),
            n_positions=positions,
            n_embd=dims,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            bos_token_id=ids[START],
            eos_token_id=ids[END],
            tie_word_embeddings=True,
        )
        return cls(GPT2LMHeadModel(config), ids)

    @classmethod
    def read(cls, folder: Pathlike, device: torch.device) -> "TransformerLm":
        """Read a folder of `write`. Raises UserError if a file is missing or damaged."""
        transformers_logging.disable_progress_bar()
        try:
            model = GPT2LMHeadModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
            ids = {}
            for _, line in read_lines(Path(folder, WORDS_FILE)):
                word, number = line.rsplit(" ", 1)
                ids[word] = int(number)
        except (OSError, ValueError, SafetensorError) as error:
            raise UserError(f"{folder} is missing or damaged ({error}): run the stage transformer_lm again.") from error
        return cls(model.to(device).eval(), ids)

    def write(self, folder: Pathlike) -> None:
        """Write config.json, model.safetensors and words.txt."""
        transformers_logging.disable_progress_bar()
        with atomic_folder(folder) as temporary:
            self.model.save_pretrained(temporary)
            write_symbols(temporary / WORDS_FILE, list(self.ids))

    def tokens(self, sentence: Sequence[str]) -> list[int]:
        """Return the numbers of `<s>`, the words and `</s>`; unknown words are `<unk>`."""
        unknown = self.ids[UNKNOWN]
        return [self.ids[START], *(self.ids.get(word, unknown) for word in sentence), self.ids[END]]

    @torch.no_grad()
    def token_log_probs(self, sentences: Sequence[Sequence[str]], batch_tokens: int = 4096) -> list[np.ndarray]:
        """Return the natural log probabilities of the words and of `</s>`, one array (words + 1,) per sentence."""
        self.model.eval()
        pieces = [piece for sentence in sentences for piece in self.pieces(self.tokens(sentence))]
        scores: list[np.ndarray] = [np.zeros(0)] * len(pieces)
        for batch in batches([len(piece) - 1 for piece in pieces], batch_tokens):
            losses = self.losses([pieces[number] for number in batch])
            for number, row in zip(batch, losses.cpu().numpy().astype(np.float64), strict=True):
                scores[number] = -row[: len(pieces[number]) - 1]
        waiting = iter(scores)
        counts = [-(-(len(sentence) + 1) // self.model.config.n_positions) for sentence in sentences]
        return [np.concatenate([next(waiting) for _ in range(count)]) for count in counts]

    def log_probs(self, sentences: Sequence[Sequence[str]], batch_tokens: int = 4096) -> np.ndarray:
        """Return the natural log probability of each sentence, `</s>` included, float64."""
        return np.array([scores.sum() for scores in self.token_log_probs(sentences, batch_tokens)])

    def pieces(self, tokens: list[int]) -> Iterator[list[int]]:
        """Split a sentence that is longer than the model's positions; each piece begins with the token before it."""
        size = self.model.config.n_positions
        for start in range(0, len(tokens) - 1, size):
            yield tokens[start : start + size + 1]

    def losses(self, batch: Sequence[Sequence[int]], inputs: Sequence[Sequence[int]] | None = None) -> torch.Tensor:
        """Return the negative log probability of each token but the first, (B, N - 1); 0 for padding.

        `batch` has the numbers of the tokens; `inputs`, if given, are what the model sees in their place.
        """
        seen = _padded(batch if inputs is None else inputs, self.ids[END]).to(self.model.device)
        targets = _padded(batch, IGNORED)[:, 1:].to(self.model.device)
        # No mask is needed: padding follows the tokens, and attention only looks back.
        hidden = self.model.transformer(seen[:, :-1]).last_hidden_state
        kept = targets != IGNORED
        losses = torch.zeros(targets.shape, device=hidden.device)
        losses[kept] = cross_entropy(self.model.lm_head(hidden[kept]).float(), targets[kept], reduction="none")
        return losses


def batches(lengths: Sequence[int], batch_tokens: int, generator: np.random.Generator | None = None) -> list[list[int]]:
    """Return the numbers of the sentences of each batch: similar lengths, at most `batch_tokens` with padding.

    A longer sentence is a batch of its own. With a `generator`, sentences of the same length are shuffled, and so are
    the batches.
    """
    order = np.arange(len(lengths)) if generator is None else generator.permutation(len(lengths))
    order = order[np.argsort(np.asarray(lengths)[order], kind="stable")]
    found: list[list[int]] = []
    for number in order.tolist():
        if not found or (len(found[-1]) + 1) * lengths[number] > batch_tokens:
            found.append([])
        found[-1].append(number)
    return found if generator is None else [found[place] for place in generator.permutation(len(found))]


def _padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    """The tokens as (B, N), each row filled up with `filler`."""
    table = torch.full((len(rows), max(map(len, rows))), filler)
    for row, tokens in zip(table, rows, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    return table
