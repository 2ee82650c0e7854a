import math
from dataclasses import replace
from pathlib import Path

import pytest

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.hmm.tune import hypothesis_perplexity
from unscribed.text.arpa import Arpa
from unscribed.text.label_free import Score, choose, score
from unscribed.text.silence import SilenceSettings

INVENTORY = ["<SIL>", "a", "b", "c"]
SURROUND, BARE = SilenceSettings(0.3, True), SilenceSettings(0.3, False)
BIT = math.log(2)
HEALTHY, DEGENERATE = ["a", "b", "c", "a", "b"], ["c"] * 8


@pytest.fixture
def arpa(tmp_path: Path) -> Arpa:
    """A bigram model, here in bits; after <s> and a, backing off costs one bit more, after the others nothing."""
    unigrams = [("</s>", 2, 0), ("<SIL>", 2, 0), ("a", 2, 1), ("b", 3, 0), ("c", 3, 0)]
    bigrams = [("<s> <SIL>", 1), ("<SIL> a", 1), ("<SIL> </s>", 1), ("a b", 1), ("c c", 0.5)]
    bit = -math.log10(2)
    lines = ["\\data\\", "ngram 1=6", "ngram 2=5", "\\1-grams:", f"-99\t<s>\t{bit:.9f}"]
    lines += [f"{bits * bit:.9f}\t{token}\t{backoff * bit:.9f}" for token, bits, backoff in unigrams]
    lines += ["\\2-grams:", *(f"{bits * bit:.9f}\t{ngram}" for ngram, bits in bigrams), "\\end\\"]
    write_lines(tmp_path / "lm.arpa", lines)
    return Arpa.read(tmp_path / "lm.arpa")


@pytest.mark.parametrize(
    ("silence", "hypotheses", "bits", "tokens", "seen"),
    [
        (SURROUND, [["a", "<SIL>", "b"]], 1 + 1 + 1 + 2 + 1, 2, 2),  # <s> <SIL> a b <SIL> </s>
        (SURROUND, [["<SIL>", "<SIL>", "a", "b", "<SIL>"]], 6, 2, 2),
        (SURROUND, [["a", "a"]], 1 + 1 + 3 + 3 + 1, 2, 1),
        (BARE, [["<SIL>", "a", "<SIL>", "a"]], 3 + 3 + 3, 2, 1),  # <s> a a </s>
        (SURROUND, [["a", "b"], ["<SIL>"], []], 6 + 3 + 3, 2, 2),  # <s> </s> twice
        (BARE, [[], ["b", "a", "c"]], 3 + (4 + 2 + 4 + 2), 3, 3),
        (SURROUND, [HEALTHY], 1 + 1 + 1 + 3 + 2 + 1 + 2 + 1, 5, 3),
        (SURROUND, [DEGENERATE], 1 + 3 + 7 * 0.5 + 2 + 1, 8, 1),
    ],
)
def test_score_by_hand(
    arpa: Arpa, silence: SilenceSettings, hypotheses: list[list[str]], bits: float, tokens: int, seen: int
) -> None:
    """Silence at the ends is scored, but it is no token, neither in the length nor in the usage."""
    found = score(hypotheses, arpa, INVENTORY, silence)
    nll = bits / (tokens + len(hypotheses))  # bits
    assert (found.tokens, found.sentences) == (tokens, len(hypotheses))
    assert found.log_prob == pytest.approx(-bits * BIT)
    assert found.nll == pytest.approx(nll * BIT)
    assert found.usage == pytest.approx(seen / 3)
    assert found.lm_perplexity == pytest.approx(2**nll)
    assert found.weighted_perplexity == pytest.approx(2**nll / (seen / 4) ** 2)  # <SIL> is one of four symbols


def test_as_in_tuning_where_no_silence_is_added(arpa: Arpa) -> None:
    hypotheses = [HEALTHY, ["<SIL>", "b"], DEGENERATE]
    assert score(hypotheses, arpa, INVENTORY, BARE).lm_perplexity == pytest.approx(
        hypothesis_perplexity(hypotheses, arpa, BARE)
    )


@pytest.mark.parametrize("hypotheses", [[["<SIL>"], []], []])
def test_no_phones_at_all(arpa: Arpa, hypotheses: list[list[str]]) -> None:
    """The worst of all values, and never chosen, wherever it stands."""
    empty = score(hypotheses, arpa, INVENTORY, SURROUND)
    assert empty == Score(-math.inf, 0, len(hypotheses), math.inf, 0.0, math.inf, math.inf)
    assert choose([empty, score([HEALTHY], arpa, INVENTORY, SURROUND), empty]) == 1


@pytest.mark.parametrize("inventory", [INVENTORY, [*INVENTORY, "z"]])
def test_phones_of_another_text(arpa: Arpa, inventory: list[str]) -> None:
    """The model would leave out what it does not know, which would look fluent."""
    with pytest.raises(UserError, match=r"1 phone\(s\), for example z, that the phone inventory or the phone language"):
        score([["a", "z"]], arpa, inventory, SURROUND)


def test_usage_unmasks_a_fluent_degenerate(arpa: Arpa) -> None:
    """Few phones repeated have both the lower NLL and the higher sum, but a third of the usage."""
    degenerate, healthy = (score([found], arpa, INVENTORY, SURROUND) for found in (DEGENERATE, HEALTHY))
    assert degenerate.nll < healthy.nll and degenerate.log_prob > healthy.log_prob
    assert choose([degenerate, healthy]) == 1
    assert choose([replace(degenerate, usage=1.0), healthy]) == 0


def candidate(nll: float, usage: float, log_prob: float) -> Score:
    return Score(log_prob, 100, 10, nll, usage, math.exp(nll), math.nan)


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ([], 0),
        ([(2.19, 1.0, -100.0)], 0),  # log 1.2 = 0.1823: out, in spite of the higher sum
        ([(2.18, 1.0, -199.0)], 1),  # within: the higher sum wins
        ([(2.18, 1.0, -201.0)], 0),  # within, but the sum is lower
        ([(2.18, 1.0, -150.0), (2.17, 1.0, -199.0), (2.19, 1.0, -100.0)], 1),
        ([(1.48, 0.5, -199.0)], 1),  # half the usage: NLL below 2 - log 2 + log 1.2 = 1.4892
        ([(1.50, 0.5, -199.0)], 0),
        ([(2.0, 1.0, -200.0)], 0),  # ties: the first
        ([(2.1, 1.0, -150.0), (2.1, 1.0, -150.0)], 1),
    ],
)
def test_slack_and_sum(others: list[tuple[float, float, float]], chosen: int) -> None:
    """The first is the anchor: NLL 2, all phones used, sum -200."""
    assert choose([candidate(2.0, 1.0, -200.0), *(candidate(*values) for values in others)]) == chosen


def test_more_usage_moves_the_anchor() -> None:
    """2 - log 0.5 = 2.69 is above 2.4 - log 1: the second is the anchor, and the first is out of reach of it."""
    assert choose([candidate(2.0, 0.5, -100.0), candidate(2.4, 1.0, -200.0)]) == 1
    assert choose([candidate(2.0, 0.5, -100.0), candidate(2.6, 1.0, -200.0)]) == 0  # 0.09 above it: within reach


def test_anchor_stays_without_slack() -> None:
    assert choose([candidate(2.0, 1.0, -200.0), candidate(2.0, 1.0, -100.0)], slack=1.0) == 0


def test_all_collapsed() -> None:
    empty = Score(-math.inf, 0, 3, math.inf, 0.0, math.inf, math.inf)
    with pytest.raises(UserError, match=r"all 2 candidates give nothing but silence: .* collapsed\. Try more seeds"):
        choose([empty, empty])
