import math
import random
import stat

import numpy as np
import pytest

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.text.arpa import Arpa, trigram_log_probs
from unscribed.text.ngram import perplexity
from unscribed.text.phone_lm import phone_lm

PHONES = ["<SIL>", "a", "b", "c"]

# By hand: P(a)=0.5, P(b)=0.25, P(</s>)=0.25; the back-offs make every history sum to one.
# After a: b 0.6 explicit, the rest (a, </s>; 0.75 of the unigrams) shares 0.4: back-off 0.4/0.75.
# After <s>: a 0.8, the rest (b, </s>; 0.5) shares 0.2: back-off 0.4. After <s> a: b 0.9; the rest of P(.|a) is 0.4:
# back-off 0.1/0.4 = 0.25. After b: no explicit bigram, back-off 1.
HAND = f"""
\\data\\
ngram 1=4
ngram 2=2
ngram 3=1

\\1-grams:
-99\t<s>\t{math.log10(0.4):.7f}
{math.log10(0.5):.7f}\ta\t{math.log10(0.4 / 0.75):.7f}
{math.log10(0.25):.7f}\tb
{math.log10(0.25):.7f}\t</s>

\\2-grams:
{math.log10(0.8):.7f}\t<s> a\t{math.log10(0.25):.7f}
{math.log10(0.6):.7f}\ta b

\\3-grams:
{math.log10(0.9):.7f}\t<s> a b

\\end\\
"""


@pytest.fixture
def hand(tmp_path):
    path = tmp_path / "hand.arpa"
    path.write_text(HAND, encoding="utf-8")
    return path


def make_text(path, sentences=400):
    """Sentences of a skewed bigram process over PHONES."""
    draw = random.Random(0)
    after = {"<SIL>": "aab", "a": "bbbc", "b": "acb", "c": "aaab"}
    lines = []
    for _ in range(sentences):
        line = ["<SIL>"]
        while len(line) < draw.randint(4, 12):
            line.append(draw.choice(after[line[-1]]))
        lines.append(" ".join([*line, "<SIL>"]))
    write_lines(path, lines)
    return path


def estimate(tmp_path, text, order):
    write_lines(tmp_path / "phones.txt", PHONES)
    phone_lm(
        phones_text=text,
        phones=tmp_path / "phones.txt",
        order=str(order),
        seed=0,
        arpa=tmp_path / "lm.arpa",
        fst=tmp_path / "lm.fst",
        report=tmp_path / "report.json",
    )
    return tmp_path / "lm.arpa"


def test_hand_made_query(hand):
    arpa = Arpa.read(hand)
    assert (arpa.order, arpa.counts) == (3, (4, 2, 1))

    def prob(history, token):
        return math.exp(arpa.log_prob(tuple(history.split()), token))

    assert prob("", "a") == pytest.approx(0.5, rel=1e-5)
    assert prob("a", "b") == pytest.approx(0.6, rel=1e-5)
    assert prob("a", "a") == pytest.approx(0.4 / 0.75 * 0.5, rel=1e-5)
    assert prob("b", "a") == pytest.approx(0.5, rel=1e-5)
    assert prob("<s> a", "b") == pytest.approx(0.9, rel=1e-5)
    assert prob("<s> a", "a") == pytest.approx(0.25 * 0.4 / 0.75 * 0.5, rel=1e-5)
    assert prob("b b b a", "b") == pytest.approx(0.6, rel=1e-5)
    assert arpa.log_prob(("a",), "q") == -math.inf


def test_hand_made_dense(hand):
    trigram = trigram_log_probs(hand, ["b", "a"])  # not the order of the file
    assert trigram.next.dtype == np.float32
    np.testing.assert_allclose(np.exp(trigram.second[1]), [0.9, 0.2 / 3], rtol=1e-5)
    np.testing.assert_allclose(np.exp(trigram.next[0, 1]), [0.6, 0.8 / 3], rtol=1e-5)
    np.testing.assert_allclose(np.exp(trigram.end), [[0.25, 0.4 / 3], [0.25, 0.4 / 3]], rtol=1e-5)
    np.testing.assert_allclose(np.exp(trigram.start), [0.1, 0.8], rtol=1e-5)


def test_perplexity_by_hand(hand):
    found = perplexity(Arpa.read(hand), ["a b", "q"])
    # <s> a b </s>: 0.8, 0.9, P(</s>|b)=0.25; <s> q </s>: q unknown, P(</s>|q)=P(</s>)=0.25
    assert found["perplexity"] == pytest.approx((0.8 * 0.9 * 0.25 * 0.25) ** -0.25, rel=1e-5)
    assert (found["held_out_tokens"], found["held_out_unknown"]) == (4, 1)
    assert found["oov_rate"] == pytest.approx(1 / 3)  # a b q


@pytest.mark.parametrize("order", [2, 3, 4])
def test_estimated_model_sums_to_one_and_matches_the_query(tmp_path, monkeypatch, order):
    monkeypatch.setenv("PATH", str(tmp_path))  # no lmplz
    path = estimate(tmp_path, make_text(tmp_path / "text.txt"), order)
    trigram = trigram_log_probs(path, PHONES)
    np.testing.assert_allclose(np.exp(trigram.next).sum(2) + np.exp(trigram.end), 1, atol=1e-4)
    arpa = Arpa.read(path)
    if order <= 3:
        expected = [[[arpa.log_prob((h2, h1), p) for p in PHONES] for h1 in PHONES] for h2 in PHONES]
        np.testing.assert_allclose(trigram.next, expected, rtol=1e-4, atol=1e-4)
    if order == 2:  # back-off of an absent order
        np.testing.assert_allclose(trigram.next, np.broadcast_to(trigram.next[0], (4, 4, 4)))
    report = read_json(tmp_path / "report.json")
    assert (report["tool"], report["order"], report["sentences"]) == ("kaldingram", order, 400)
    assert report["ngrams"]["1"] == 6
    assert 1.5 < report["perplexity"] < 3.5  # four phones, two to three successors each


def test_lmplz_is_used_when_on_path(tmp_path, monkeypatch, hand):
    tool = tmp_path / "bin" / "lmplz"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nfor last; do :; done\n/bin/cp {hand} "$last"\n')
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tool.parent))
    text = tmp_path / "text.txt"
    write_lines(text, ["a b"] * 20)
    path = estimate(tmp_path, text, 3)
    assert path.read_text(encoding="utf-8") == HAND
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 2 and all("-o 3" in call and "--discount_fallback" in call for call in calls)
    assert read_json(tmp_path / "report.json")["tool"] == "lmplz"
    tool.write_text("#!/bin/sh\necho 'out of memory' >&2\nexit 3\n")
    with pytest.raises(UserError, match=r"lmplz could not .*out of memory.*phone_lm\.orders"):
        estimate(tmp_path, text, 3)


@pytest.mark.parametrize("lines", [["a"], ["a a a a"] * 30, ["a b"]])
def test_tiny_text(tmp_path, lines):
    write_lines(tmp_path / "text.txt", lines)
    phones = sorted(set(" ".join(lines).split()))
    trigram = trigram_log_probs(estimate(tmp_path, tmp_path / "text.txt", 4), phones)
    total = np.exp(trigram.next).sum(2) + np.exp(trigram.end)
    # kaldingram loses the discounted mass of a history after which every token was seen: none is left to give it to.
    assert ((total > 0.9) & (total < 1.0001)).all()
    assert (read_json(tmp_path / "report.json")["perplexity"] is None) == (len(lines) < 20)


def test_order_that_kaldingram_does_not_know(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no lmplz
    with pytest.raises(UserError, match=r"kaldingram could not .*order 6.*phone_lm\.orders; .*put lmplz"):
        estimate(tmp_path, make_text(tmp_path / "text.txt"), 6)


def test_phones_of_another_inventory(tmp_path):
    write_lines(tmp_path / "text.txt", ["a b ʒ"] * 30)
    with pytest.raises(UserError, match=r"lm\.arpa has 1 token.*symbol table, for example ʒ"):
        estimate(tmp_path, tmp_path / "text.txt", 3)


@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_empty_text(tmp_path, text):
    (tmp_path / "text.txt").write_bytes(text)
    with pytest.raises(UserError, match=r"text\.txt has no sentences"):
        estimate(tmp_path, tmp_path / "text.txt", 2)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: "", r"line 0: there is no \\data\\"),
        (lambda text: "nonsense\n", r"line 1: there is no \\data\\"),
        (lambda text: text[: text.index("\\3-grams:")], r"ends without \\end\\"),
        (lambda text: text.replace("ngram 2=2", "ngram 2=3"), r"line 17: 2 2-grams, but the header says 3"),
        (lambda text: text.replace("\ta b\n", "\ta b c d\n"), r"line 15: expected .*2 tokens"),
        (lambda text: text.replace("-99\t", "minus\t"), r"line 8: expected"),
        (lambda text: text.replace("\\2-grams:", "\\4-grams:"), r"expected the section of 2-grams"),
        (lambda text: text.replace("ngram 1=4", "ngram one"), r"line 3: expected `ngram 1=count`"),
    ],
)
def test_damaged_arpa(hand, damage, message):
    hand.write_text(damage(HAND), encoding="utf-8")
    with pytest.raises(UserError, match=rf"hand\.arpa, .*{message}"):
        Arpa.read(hand)


def test_missing_phone(hand):
    with pytest.raises(UserError, match=r"hand\.arpa has no probability for ʒ, θ"):
        trigram_log_probs(hand, ["a", "ʒ", "θ"])
