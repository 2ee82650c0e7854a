import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.settings import decode_settings

from unscribed.acoustic.viterbi import PhoneTrigrams, decode
from unscribed.errors import UserError

WIDE = 1e9  # a beam that drops nothing

# By hand, after <s>: x 0.8 explicit; after <s> x: y 0.9 explicit; after x: y 0.6 explicit; all else by back-off.
ARPA = f"""
\\data\\
ngram 1=4
ngram 2=2
ngram 3=1

\\1-grams:
-99\t<s>\t{math.log10(0.4):.7f}
{math.log10(0.5):.7f}\tx\t{math.log10(0.8):.7f}
{math.log10(0.25):.7f}\ty
{math.log10(0.25):.7f}\t</s>

\\2-grams:
{math.log10(0.8):.7f}\t<s> x\t{math.log10(0.25):.7f}
{math.log10(0.6):.7f}\tx y

\\3-grams:
{math.log10(0.9):.7f}\t<s> x y

\\end\\
"""


def _trigrams(size: int, seed: int, penalty: float = 0.0) -> PhoneTrigrams:
    """Random scores: all of them matter, histories and ends too."""
    rng = np.random.default_rng(seed)
    return PhoneTrigrams(
        rng.normal(size=size), rng.normal(size=(size + 1, size, size)) + penalty, rng.normal(size=(size + 1, size))
    )


def _score(path: np.ndarray, scores: np.ndarray, trigrams: PhoneTrigrams) -> float:
    """The score of a path (T,), straight from the definition."""
    phones = [phone for phone, _ in itertools.groupby(path.tolist())]
    histories = [len(trigrams.start), *phones]
    total = trigrams.start[phones[0]] + scores[np.arange(len(path)), path].sum()
    total += sum(trigrams.next[triple] for triple in zip(histories, phones, phones[1:], strict=False))
    return float(total + trigrams.end[histories[len(phones) - 1], phones[-1]])


def _phones(path: np.ndarray) -> int:
    return 1 + int((path[1:] != path[:-1]).sum())


def _decode(scores: np.ndarray, trigrams: PhoneTrigrams, beam: float = WIDE) -> np.ndarray:
    return decode(scores, np.array([0, len(scores)]), trigrams, beam)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_agrees_with_all_paths(frames: int) -> None:
    for seed in range(15):
        scores, trigrams = np.random.default_rng(100 + seed).normal(size=(frames, 3)), _trigrams(3, seed)
        paths = [np.array(path) for path in itertools.product(range(3), repeat=frames)]
        best = max(paths, key=lambda path: _score(path, scores, trigrams))
        np.testing.assert_array_equal(_decode(scores, trigrams), best)


def test_batching_changes_nothing() -> None:
    """Utterances of different lengths together, one of one frame and one without any, or each alone."""
    rng, trigrams = np.random.default_rng(0), _trigrams(6, 1)
    lengths = [40, 1, 0, 17, 80, 2]
    parts = [rng.normal(size=(length, 6)) for length in lengths]
    together = decode(np.concatenate(parts), np.cumsum([0, *lengths]), trigrams, 8.0)
    alone = [_decode(part, trigrams, 8.0) for part in parts]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    assert together.dtype == np.int16


def test_frames_of_others_do_not_leak() -> None:
    rng, trigrams = np.random.default_rng(0), _trigrams(4, 1)
    scores, offsets = rng.normal(size=(60, 4)), np.array([0, 30, 60])
    before = decode(scores, offsets, trigrams, 8.0)
    scores[30:] = 5 * rng.normal(size=(30, 4))
    np.testing.assert_array_equal(decode(scores, offsets, trigrams, 8.0)[:30], before[:30])


def test_beam() -> None:
    """A wider beam never does worse here; one a little wider than needed is exact; a narrow one is not."""
    worse = 0
    for seed in range(10):
        scores, trigrams = 2 * np.random.default_rng(seed).normal(size=(50, 5)), _trigrams(5, seed)
        exact = _score(_decode(scores, trigrams), scores, trigrams)
        wide = _score(_decode(scores, trigrams, 25.0), scores, trigrams)
        narrow = _score(_decode(scores, trigrams, 0.5), scores, trigrams)
        assert wide == pytest.approx(exact, abs=1e-3) and narrow <= exact + 1e-3
        worse += narrow < exact - 1e-3
    assert worse > 5


def test_a_path_outside_the_beam_is_dropped() -> None:
    """Phone 1 is right from the second frame on; the beam decides whether it survives the first."""
    free = PhoneTrigrams(np.zeros(2), np.full((3, 2, 2), -100.0), np.zeros((3, 2)))
    scores = np.array([[0.0, -3.0], [0.0, 5.0]])
    assert _decode(scores, free, 4.0).tolist() == [1, 1]
    assert _decode(scores, free, 2.0).tolist() == [0, 0]


def test_insertion_penalty_lowers_the_number_of_phones() -> None:
    scores = 2 * np.random.default_rng(0).normal(size=(60, 5))
    found = [_phones(_decode(scores, _trigrams(5, 3, penalty))) for penalty in (5, 2, 0, -2, -5, -10, -1000)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 50 and found[-1] == 1 and len(set(found)) > 4


def test_a_phone_never_follows_itself_anew() -> None:
    """A large score on the diagonal, which a model without equal neighbours leaves undefined, has no effect."""
    scores, trigrams = np.random.default_rng(0).normal(size=(30, 4)), _trigrams(4, 0)
    expected = _decode(scores, trigrams)
    trigrams.next[:, np.arange(4), np.arange(4)] = 1000
    np.testing.assert_array_equal(_decode(scores, trigrams), expected)


def test_impossible_and_undefined_scores() -> None:
    """Transitions of probability zero are not taken; scores that are no numbers are refused, not searched."""
    scores, trigrams = np.random.default_rng(0).normal(size=(200, 4)), _trigrams(4, 0)
    trigrams.next[:] = -np.inf
    assert _phones(_decode(scores, trigrams)) == 1
    scores[3, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        _decode(scores, trigrams)


@pytest.fixture
def arpa(tmp_path: Path) -> Path:
    path = tmp_path / "lm.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return path


def test_grammar_from_arpa(arpa: Path) -> None:
    settings = decode_settings(lm_weight=2, insertion_penalty=-0.5)
    trigrams = PhoneTrigrams.read(arpa, ["x", "y"], settings)
    x, y, first = 0, 1, 2
    log = math.log
    assert trigrams.start.shape == (2,) and trigrams.next.shape == (3, 2, 2) and trigrams.end.shape == (3, 2)
    np.testing.assert_allclose(trigrams.start, [2 * log(0.8), 2 * log(0.4 * 0.25)], rtol=1e-5)
    assert trigrams.next[first, x, y] == pytest.approx(2 * log(0.9) - 0.5, rel=1e-5)  # the explicit trigram
    assert trigrams.next[y, x, y] == pytest.approx(2 * log(0.6) - 0.5, rel=1e-5)  # the explicit bigram
    assert trigrams.next[first, y, x] == trigrams.next[x, y, x] == pytest.approx(2 * log(0.5) - 0.5, rel=1e-5)
    assert trigrams.end[first, x] == pytest.approx(2 * log(0.25 * 0.8 * 0.25), rel=1e-5)  # "x" is the whole sentence
    assert trigrams.end[y, x] == pytest.approx(2 * log(0.8 * 0.25), rel=1e-5)
    assert trigrams.end[x, y] == pytest.approx(2 * log(0.25), rel=1e-5)


def test_grammar_lacks_a_phone(arpa: Path) -> None:
    settings = decode_settings()
    with pytest.raises(UserError, match=r"lm\.arpa has no probability for z"):
        PhoneTrigrams.read(arpa, ["x", "z"], settings)
