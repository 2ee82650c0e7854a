import math

import kaldifst
import pytest

from unscribed.artifacts import read_json
from unscribed.errors import UserError
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import check_vocabulary, compile_fst, ngram_model, symbol_table, write_symbols

# After <s>: a 0.8, else 0.4 times the unigram; after a: b 0.6, else 0.4 / 0.75 times it. <unk> is what lmplz writes.
HAND = f"""
\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-5\t<unk>
-99\t<s>\t{math.log10(0.4):.7f}
{math.log10(0.5):.7f}\ta\t{math.log10(0.4 / 0.75):.7f}
{math.log10(0.25):.7f}\tb
{math.log10(0.25):.7f}\t</s>

\\2-grams:
{math.log10(0.8):.7f}\t<s> a
{math.log10(0.6):.7f}\ta b

\\end\\
"""
SYMBOLS = symbol_table(["b", "a", "c"])  # c: a word of the lexicon that the text does not have


def walk(fst, tokens):
    """Probability of the sentence, back-off arcs taken only where there is no other."""
    numbers = [SYMBOLS.index(token) for token in tokens]
    state, cost = fst.start, 0.0
    while numbers or math.isinf(fst.final(state).value):
        arcs = {arc.ilabel: arc for arc in kaldifst.ArcIterator(fst, state)}
        found = arcs.get(numbers[0]) if numbers else None
        arc = found or arcs[SYMBOLS.index("#0")]
        assert arc.olabel == (numbers.pop(0) if found else 0)
        state, cost = arc.nextstate, cost + arc.weight.value
    return math.exp(-cost - fst.final(state).value)


def test_graph_has_the_probabilities_of_the_model(tmp_path):
    (tmp_path / "lm.arpa").write_text(HAND, encoding="utf-8")
    model = compile_fst(tmp_path / "lm.arpa", SYMBOLS, tmp_path / "lm.fst")
    assert model.counts == (5, 2)
    fst = kaldifst.StdVectorFst.read(str(tmp_path / "lm.fst"))
    assert walk(fst, ["a", "b"]) == pytest.approx(0.8 * 0.6 * 0.25, rel=1e-4)
    assert walk(fst, ["b", "a"]) == pytest.approx(0.4 * 0.25 * 0.5 * 0.4 / 0.75 * 0.25, rel=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lm.arpa", "lm.fst"]


def test_symbol_table(tmp_path):
    write_symbols(tmp_path / "words.txt", SYMBOLS)
    assert (tmp_path / "words.txt").read_text() == "<eps> 0\nb 1\na 2\nc 3\n#0 4\n"


@pytest.mark.parametrize("content", ["", "\\data\\\nngram 1=1\n", HAND.replace("-99", "x")])
def test_damaged_models_do_not_reach_the_compiler(tmp_path, monkeypatch, content):
    (tmp_path / "lm.arpa").write_text(content, encoding="utf-8")
    monkeypatch.setattr("subprocess.run", None)
    with pytest.raises(UserError, match=r"lm\.arpa, line .*delete it and run the stage"):
        compile_fst(tmp_path / "lm.arpa", SYMBOLS, tmp_path / "lm.fst")
    assert not (tmp_path / "lm.fst").exists()


def test_vocabulary():
    check_vocabulary(["<s>", "</s>", "<unk>", "a"], SYMBOLS, "lm.arpa")
    with pytest.raises(UserError, match=r"lm\.arpa has 2 token\(s\) .* for example q, r: .*Delete both"):
        check_vocabulary(["<s>", "r", "a", "q"], SYMBOLS, "lm.arpa")
    with pytest.raises(UserError, match=r"lm\.arpa has no token of the symbol table \(b, a, c"):
        check_vocabulary(["<s>", "</s>", "<unk>"], SYMBOLS, "lm.arpa")


def test_pruned_model_keeps_frequent_ngrams(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no lmplz
    paths = {"arpa": tmp_path / "lm.arpa", "fst": tmp_path / "lm.fst", "report": tmp_path / "report.json"}
    text = [*["a b"] * 10, "a c"]
    ngram_model(text, order=2, prune=[1, 2], seed=0, symbols=SYMBOLS, key="word_lm.order", **paths)
    model = Arpa.read(paths["arpa"])
    bigrams = {ngram for ngram in model.log_probs if len(ngram) == 2}
    assert bigrams == {("<s>", "a"), ("a", "b"), ("b", "</s>")}  # without `a c` and `c </s>`
    assert read_json(paths["report"])["ngrams"] == {"1": 5, "2": 3}
