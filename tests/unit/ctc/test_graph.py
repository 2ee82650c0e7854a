import itertools
import logging

import numpy as np
import pytest

from unscribed.artifacts import write_lines
from unscribed.ctc.graph import ctc_graph
from unscribed.ctc.search import sentence_graph
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.text.arpa import END, START, Arpa
from unscribed.text.ngram import compile_fst, symbol_table, write_symbols
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.nbest import n_best

WIDE = 1e4
LETTERS = ["<pad>", "|", "<unk>", "e", "o", "t"]
PHONES = ["<pad>", "t", "ə", "uː"]
WORDS = ["to", "toe", "too"]
LEXICON = ["to 0.5 t uː", "to 1 t ə", "toe 1 t", "too 1 t uː"]  # a homophone, and a word that begins others
ARPA = """\\data\\
ngram 1=5
ngram 2=4

\\1-grams:
-99\t<s>\t-0.2
-0.7\t</s>
-0.6\tto\t-0.1
-1.1\ttoe\t-0.3
-0.9\ttoo\t-0.4

\\2-grams:
-0.3\t<s> to
-0.5\tto too
-0.2\ttoo </s>
-1.5\ttoe to

\\end\\"""


def make(folder, vocab, words=WORDS, lexicon=LEXICON, arpa=ARPA):
    """Write an empty store, n-grams, symbols and lexicon; return the arguments of the stage."""
    with FrameWriter(folder / "log_probs.npy", {"vocab": vocab, "hop_ms": 20.0}) as store:
        store.append("a", np.zeros((1, len(vocab))))
    symbols = symbol_table(words)
    write_symbols(folder / "words.txt", symbols)
    write_lines(folder / "lexiconp.txt", lexicon)
    write_lines(folder / "lm.arpa", arpa.split("\n"))
    compile_fst(folder / "lm.arpa", symbols, folder / "lm.fst")
    names = {"fst": "lm.fst", "word_symbols": "words.txt", "lexiconp": "lexiconp.txt", "graph": "graph.safetensors"}
    return {"log_probs": folder / "log_probs.npy", **{name: folder / file for name, file in names.items()}}


def build(folder, vocab, **changes):
    arguments = make(folder, vocab, **changes)
    ctc_graph(**arguments)
    return Graph.read(arguments["graph"])


def sayings(words, letters):
    """All token sequences of these words, with the log probabilities of the pronunciations."""
    if letters:
        spelled = "|".join(words)
        ends = ("", "|") if words else ("",)
        return {tuple(before + spelled + after): 0.0 for before in ("", "|") for after in ends}
    variants = {word: [] for word in WORDS}
    for line in LEXICON:
        word, probability, *phones = line.split()
        variants[word].append((tuple(phones), np.log(float(probability))))
    found = {}
    for choice in itertools.product(*(variants[word] for word in words)):
        tokens, value = sum((phones for phones, _ in choice), ()), sum(value for _, value in choice)
        found[tokens] = max(value, found.get(tokens, -np.inf))
    return found


def sentence_log_prob(arpa, words):
    """Log probability of the best path through a back-off graph, which allows backing off from every state."""

    def step(history, token):
        weights, ways = 0.0, []
        while True:
            if (value := arpa.log_probs.get((*history, token))) is not None:
                ways.append(weights + value)
            if not history:
                return max(ways)
            weights += arpa.backoffs.get(history, 0.0)
            history = history[1:]

    # In a bigram graph the state after a word is that word, however its arc was reached.
    tokens = [START, *words, END]
    return sum(step((before,), token) for before, token in itertools.pairwise(tokens))


def brute_force(scores, vocab, arpa):
    """Log score of each sentence: that of its best CTC alignment."""
    letters = "|" in vocab
    best_path = {}
    for path in itertools.product(range(len(vocab)), repeat=len(scores)):
        tokens = tuple(vocab[token] for token, _ in itertools.groupby(path) if token)
        value = float(sum(scores[frame, token] for frame, token in enumerate(path)))
        best_path[tokens] = max(value, best_path.get(tokens, -np.inf))
    found = {}
    most = 1 + len(scores) // (2 if letters else 1)
    for words in itertools.chain.from_iterable(itertools.product(WORDS, repeat=count) for count in range(most)):
        values = [best_path.get(tokens, -np.inf) + value for tokens, value in sayings(words, letters).items()]
        if (best := max(values)) > -np.inf:
            found[words] = best + sentence_log_prob(arpa, words)
    return found


@pytest.mark.parametrize(("vocab", "frames"), [(LETTERS, 6), (PHONES, 6), (PHONES, 3), (LETTERS, 2)])
def test_search_is_brute_force_over_all_alignments(tmp_path, vocab, frames):
    """All sentences are found, in the order of their scores, not only the best."""
    graph, arpa = build(tmp_path, vocab), Arpa.read(tmp_path / "lm.arpa")
    names = dict(enumerate(WORDS, start=1))
    for seed in range(3):
        logits = 2 * np.random.default_rng(seed).standard_normal((frames, len(vocab)))
        scores = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
        if "<unk>" in vocab:
            scores[:, vocab.index("<unk>")] = -50
        expected = brute_force(scores, vocab, arpa)
        lattice = search(graph, np.pad(scores, ((0, 0), (1, 0))), WIDE, 10**6, WIDE)
        found = {tuple(names[word] for word in one.words): one.score for one in n_best(lattice, 1000)}
        assert found == pytest.approx(expected, abs=5e-3)  # determinisation takes costs for equal within 2**-10
        assert next(iter(found)) == max(expected, key=expected.get)
        assert -lattice.cost == pytest.approx(max(expected.values()), abs=1e-3)


def said(graph, path, vocab):
    """Decode posteriors that allow a single path of tokens."""
    scores = np.full((len(path), len(vocab) + 1), -30, dtype=np.float32)
    scores[np.arange(len(path)), [vocab.index(token) + 1 for token in path]] = 0
    lattice = search(graph, scores, WIDE, 10**6, 0.0)
    return [WORDS[word - 1] for word in lattice.symbols()], lattice


def test_a_letter_twice_needs_a_blank_between(tmp_path):
    graph = build(tmp_path, LETTERS)
    path = ["|", "t", "t", "o", "o", "|", "|", "t", "o", "<pad>", "o", "<pad>"]
    words, lattice = said(graph, path, LETTERS)
    assert words == ["to", "too"]
    assert [LETTERS[label - 1] for label in lattice.alignment()] == path
    assert said(graph, ["t", "o", "<pad>", "|"], LETTERS)[0] == ["to"]
    assert said(graph, ["t", "<pad>", "o", "<pad>", "<pad>", "e"], LETTERS)[0] == ["toe"]


def test_phones_may_repeat_across_words_only_with_a_blank(tmp_path):
    """The phones of `toe toe` are t t here."""
    graph = build(tmp_path, PHONES)
    assert said(graph, ["t", "<pad>", "t"], PHONES)[0] == ["toe", "toe"]
    assert said(graph, ["t", "t", "t"], PHONES)[0] == ["toe"]
    assert said(graph, ["t", "ə", "t", "uː"], PHONES)[0] == ["to", "too"]


def test_words_with_unknown_tokens_are_left_out_and_counted(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        graph = build(tmp_path, ["<pad>", "|", "<unk>", "o", "t"])
    assert "1 of 3 words left out: the model does not know e" in caplog.text
    assert set(graph.outputs.tolist()) == {0, 1, 3}
    with pytest.raises(UserError, match=r"no word of .* is made of the model's tokens"):
        build(tmp_path, ["<pad>", "|", "<unk>", "x"])


def test_bad_input(tmp_path):
    with pytest.raises(UserError, match=r"lexiconp\.txt has 1 words that the language model's symbols lack.*two"):
        build(tmp_path, PHONES, lexicon=[*LEXICON, "two 1 t uː"])
    arguments = make(tmp_path, PHONES)
    with FrameWriter(tmp_path / "log_probs.npy", {}) as store:
        store.append("a", np.zeros((1, 4)))
    with pytest.raises(UserError, match=r"log_probs\.npy is missing or names no tokens"):
        ctc_graph(**arguments)


@pytest.mark.parametrize("vocab", [LETTERS, PHONES])
def test_one_sentence(vocab):
    """A sentence graph has only alignments of that sentence, with the scores of the brute force."""
    lexicon = {word: [] for word in WORDS}
    for line in LEXICON:
        word, _, *phones = line.split()
        lexicon[word].append(tuple(phones) if vocab is PHONES else tuple(word))
    graph = sentence_graph(["to", "too"], vocab, lexicon)
    scores = np.random.default_rng(1).standard_normal((7, len(vocab))).astype(np.float32)
    best = -np.inf
    wanted = sayings(("to", "too"), vocab is LETTERS)
    for path in itertools.product(range(len(vocab)), repeat=7):
        if tuple(vocab[token] for token, _ in itertools.groupby(path) if token) in wanted:
            best = max(best, sum(scores[frame, token] for frame, token in enumerate(path)))
    lattice = search(graph, np.pad(scores, ((0, 0), (1, 0))), WIDE, 10**6, 0.0)
    assert -lattice.cost == pytest.approx(best, abs=1e-4)
