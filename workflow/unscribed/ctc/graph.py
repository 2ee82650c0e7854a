"""Stage ctc_graph: token graph of CTC, lexicon and word n-grams composed into one decoding graph, T ∘ L ∘ G.

As in EESEN (Miao et al. 2015, §3.1): a token lasts one frame or more, blanks may stand between tokens, and must between
two equal ones. L ∘ G comes from OpenFst; T, whose states are only "blank" and "token p", is composed in numpy.
Token k of the vocabulary has the input label k + 1 in all graphs; the blank is token 0.
Dimensions: T frames, V tokens, N states, A arcs.
"""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import kaldifst
import numpy as np

from unscribed.artifacts import Pathlike, read_metadata
from unscribed.errors import UserError
from unscribed.text.letters import WORD_DELIMITER
from unscribed.text.lexicon import Pronunciation, read_lexiconp
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_fst, read_symbols

log = logging.getLogger(__name__)

BLANK = 1  # its input label


def ctc_graph(
    *, log_probs: Pathlike, fst: Pathlike, word_symbols: Pathlike, lexiconp: Pathlike, graph: Pathlike
) -> None:
    """Write the graph of a word language model `fst` (OpenFst, from the stage word_lm) for a store's vocabulary.

    A model of letters spells the words of `word_symbols`; one of phones takes them from `lexiconp`. Words with other
    tokens than the model's are left out and counted. Raises UserError if no word is left.
    """
    vocab, symbols = read_vocab(log_probs), read_symbols(word_symbols)
    entries = pronunciations(vocab, symbols, lexiconp)
    lexicon, silent = lexicon_fst(entries, symbols, vocab)
    kaldifst.arcsort(lexicon, "olabel")
    language_model = read_fst(fst)
    kaldifst.arcsort(language_model, "ilabel")
    lg = kaldifst.compose(lexicon, language_model)
    if lg.num_states == 0:
        raise UserError(f"{fst} and {word_symbols} have no sentence in common: run the stage word_lm again.")
    kaldifst.determinize_star(lg)
    kaldifst.minimize_encoded(lg)
    flat = with_blanks(Graph.parse(str(lg), silent))
    flat.write(graph)
    log.info("%d words; %d states, %d arcs", len({word for word, *_ in entries}), len(flat.final), len(flat.inputs))


def read_vocab(log_probs: Pathlike) -> list[str]:
    """The tokens of a store of posteriors. Raises UserError if it does not name them."""
    try:
        return list(read_metadata(Path(log_probs).with_suffix(".parquet"))["vocab"])
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{log_probs} is missing or names no tokens ({error}): run its stage again.") from error


def spells(vocab: Sequence[str]) -> bool:
    """Whether the tokens are letters, with a delimiter between words."""
    return WORD_DELIMITER in vocab


def pronunciations(vocab: Sequence[str], symbols: Iterable[str], lexiconp: Pathlike) -> list[Pronunciation]:
    """Words, probabilities and tokens: spellings of a vocabulary of letters, else the lexicon's phones.

    Words with other tokens are left out and counted. Raises UserError if none is left, or if the lexicon has words
    that are no `symbols`.
    """
    words = [word for word in symbols if word not in ("<eps>", "#0")]
    entries = [(word, 1.0, tuple(word)) for word in words] if spells(vocab) else read_lexiconp(lexiconp)
    if missing := sorted({word for word, *_ in entries}.difference(words)):
        raise UserError(
            f"{lexiconp} has {len(missing)} words that the language model's symbols lack, for example {missing[0]}: "
            "they come from different texts. Delete both and run the stages lexicon and word_lm again."
        )
    known = set(vocab[1:]) - {WORD_DELIMITER}
    kept = [entry for entry in entries if known.issuperset(entry[2])]
    if not kept:
        raise UserError(f"no word of {lexiconp} is made of the model's tokens ({' '.join(vocab[1:9])} …).")
    left_out = {word for word, *_ in entries} - {word for word, *_ in kept}
    lacking = sorted({token for _, _, tokens in entries for token in tokens} - known)
    if left_out:
        log.warning(
            "%d of %d words left out: the model does not know %s", len(left_out), len(words), " ".join(lacking[:20])
        )
    return kept


def lexicon_fst(
    entries: Sequence[Pronunciation], words: dict[str, int], vocab: Sequence[str]
) -> tuple[kaldifst.StdVectorFst, list[int]]:
    """Make the lexicon transducer, tokens to words, and list its disambiguation symbols.

    The first symbol is that of back-off; the others end pronunciations that are shared or begin another one. Spelled
    words end in the delimiter, which the last one may lack; another one may come before the first.
    """
    ids = {token: number for number, token in enumerate(vocab, start=1)}
    zero, delimiter = len(vocab) + 1, ids.get(WORD_DELIMITER)
    used: Counter[tuple[str, ...]] = Counter()
    shared = Counter(spoken for *_, spoken in entries)
    beginnings = {spoken[:length] for *_, spoken in entries for length in range(1, len(spoken))}
    # States: 0 start, 1 between words, 2 after a last word without delimiter.
    rows = ["0 1 0 0", f"1 1 {zero} {words['#0']}", "1"]
    if delimiter:
        rows += [f"0 1 {delimiter} 0", f"2 2 {zero} {words['#0']}", "2"]
    free = 3
    for word, probability, spoken in entries:
        labels = [ids[token] for token in spoken]
        if not delimiter and (shared[spoken] > 1 or spoken in beginnings):
            used[spoken] += 1
            labels.append(zero + used[spoken])
        state, output, cost = 1, words[word], -math.log(probability)
        for place, label in enumerate(labels, start=1):
            target = 1 if place == len(labels) and not delimiter else free
            rows.append(f"{state} {target} {label} {output} {cost}")
            state, output, cost, free = target, 0, 0.0, free + (target == free)
        if delimiter:
            rows += [f"{state} 1 {delimiter} 0", f"{state} 2 0 0"]
    return kaldifst.compile("\n".join(rows) + "\n"), list(range(zero, zero + max(used.values(), default=0) + 1))


def with_blanks(lg: Graph) -> Graph:
    """Compose T ∘ `lg`: the token sequences of `lg`, each token once, become those with blanks and repeats.

    A state of the result is a pair: a state of `lg`, and the token of the last frame (0 after a blank, at the start).
    """
    width = int(lg.inputs.max()) + 1
    keys = lg.targets.astype(np.int64) * width + lg.inputs
    keys = np.union1d(np.arange(len(lg.final)) * width, keys[lg.inputs > 0])
    fresh = keys
    while len(fresh):  # arcs without a frame keep the last token
        owners, arcs = _arcs(lg, fresh // width)
        silent = lg.inputs[arcs] == 0
        reached = lg.targets[arcs[silent]].astype(np.int64) * width + fresh[owners[silent]] % width
        fresh = np.setdiff1d(reached, keys)
        keys = np.union1d(keys, fresh)
    last = keys % width
    owners, arcs = _arcs(lg, keys // width)
    allowed = (lg.inputs[arcs] == 0) | (lg.inputs[arcs] != last[owners])
    owners, arcs = owners[allowed], arcs[allowed]
    labels = lg.inputs[arcs]
    reached = lg.targets[arcs].astype(np.int64) * width + np.where(labels > 0, labels, last[owners])
    everywhere, spoken = np.arange(len(keys)), np.flatnonzero(last)
    blanks = np.searchsorted(keys, keys[spoken] - last[spoken])
    nothing = np.zeros(len(keys) + len(spoken), dtype=np.int32)
    return Graph.build(
        np.concatenate([owners, everywhere, spoken]),
        np.concatenate([np.searchsorted(keys, reached), everywhere, blanks]),
        np.concatenate([labels, np.where(last > 0, last, BLANK), np.full(len(spoken), BLANK)]),
        np.concatenate([lg.outputs[arcs], nothing]),
        np.concatenate([lg.costs[arcs], nothing]),
        lg.final[keys // width],
    )


def _arcs(graph: Graph, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List all arcs that leave `states`: for each, its state's index in `states`, and its number."""
    counts = graph.first[states + 1] - graph.first[states]
    owners = np.repeat(np.arange(len(states)), counts)
    return owners, np.arange(counts.sum()) + np.repeat(graph.first[states] - (np.cumsum(counts) - counts), counts)
