"""Posteriors of CTC written by hand, and a language of three words to decode them with."""

import numpy as np

from unscribed.artifacts import write_lines
from unscribed.ctc.graph import ctc_graph
from unscribed.frames import FrameWriter
from unscribed.text.ngram import compile_fst, symbol_table, write_symbols
from unscribed.wfst.search import SearchSettings

LETTERS = ["<pad>", "|", "<unk>", "e", "o", "t"]
PHONES = ["<pad>", "t", "ə", "uː"]
WORDS = ["to", "toe", "too"]
ARPA = ["\\data\\", "ngram 1=5", "", "\\1-grams:", "-99\t<s>", "-0.6\t</s>"]
ARPA += ["-0.3\tto", "-0.9\ttoe", "-1.0\ttoo", "", "\\end\\"]
UNLIKELY = -9.0
SEARCH = SearchSettings(beam=50.0, max_active=10_000)


def posteriors(path, vocab, unsure=()):
    """Log posteriors (T, V) with the best path `path`; `unsure` has second tokens: (frame, token, log odds)."""
    scores = np.full((len(path), len(vocab)), UNLIKELY)
    scores[np.arange(len(path)), [vocab.index(token) for token in path]] = 0.0
    for frame, token, odds in unsure:
        scores[frame, vocab.index(token)] = odds
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def ctc_world(folder, vocab, utterances):
    """Files of a CTC decoding of these utterances: posteriors, lexicon, language model and graph, by argument name."""
    with FrameWriter(folder / "log_probs.npy", {"vocab": vocab, "hop_ms": 20.0}, "float16") as store:
        for name, scores in utterances.items():
            store.append(name, scores)
    symbols = symbol_table(WORDS)
    write_symbols(folder / "words.txt", symbols)
    write_lines(folder / "lexiconp.txt", ["to 0.5 t uː", "to 1 t ə", "toe 1 t", "too 1 t uː"])
    write_lines(folder / "lm.arpa", ARPA)
    compile_fst(folder / "lm.arpa", symbols, folder / "lm.fst")
    files = {"word_symbols": "words.txt", "lexiconp": "lexiconp.txt", "graph": "graph.safetensors"}
    paths = {name: folder / file for name, file in files.items()}
    ctc_graph(log_probs=folder / "log_probs.npy", fst=folder / "lm.fst", **paths)
    return {"log_probs": folder / "log_probs.npy", "arpa": folder / "lm.arpa", **paths}
