import math
from pathlib import Path

import numpy as np
import pytest

from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.artifacts import write_lines
from unscribed.calls import closure
from unscribed.gan.transcribe import PhoneSearch


def _search(folder: Path, **changes: float) -> PhoneSearch:
    """Unigrams a 0.5, b 0.4, end 0.1; after a, b has 0.9."""
    half, lower, tenth, likely = (f"{math.log10(share):.6f}" for share in (0.5, 0.4, 0.1, 0.9))
    unigrams = ["\\data\\", "ngram 1=4", "ngram 2=1", "ngram 3=0", "\\1-grams:", "-99\t<s>\t0", f"{half}\ta\t0"]
    rest = [f"{lower}\tb\t0", f"{tenth}\t</s>", "\\2-grams:", f"{likely}\ta b\t0", "\\3-grams:", "\\end\\"]
    write_lines(folder / "lm.arpa", unigrams + rest)
    given = {"acoustic_scale": 1.0, "lm_weight": 1.0, "prior_weight": 0.0, "insertion_penalty": 0.0, "beam": 20.0}
    return PhoneSearch.read(folder / "lm.arpa", ["a", "b"], DecodeSettings(**given | changes))


def test_the_generators_phones_are_searched_with_n_grams(tmp_path: Path) -> None:
    """Alone, the second segment is an a; but `b a` has 0.4 × 0.9 × 0.5 × 0.55, and one long b 0.4 × 0.9 × 0.45."""
    posteriors = np.array([[0.1, 0.9], [0.55, 0.45]], dtype=np.float32)
    phones, places, means = _search(tmp_path)(posteriors)
    assert (phones.tolist(), places.tolist()) == ([1], [0])
    np.testing.assert_allclose(means, [[0.325, 0.675]], rtol=1e-6)
    phones, places, _ = _search(tmp_path, lm_weight=1e-6)(posteriors)
    assert (phones.tolist(), places.tolist()) == ([1, 0], [0, 1])


def test_neighbours_with_one_phone_become_one_and_nothing_stays_nothing(tmp_path: Path) -> None:
    search = _search(tmp_path)
    phones, places, means = search(np.array([[0.9, 0.1], [0.7, 0.3]], dtype=np.float32))
    assert (phones.tolist(), places.tolist()) == ([0], [0])
    np.testing.assert_allclose(means, [[0.8, 0.2]], rtol=1e-6)
    assert [len(one) for one in search(np.empty((0, 2), dtype=np.float32))] == [0, 0, 0]


def test_what_the_text_says_often_has_to_be_surer_to_be_heard(tmp_path: Path) -> None:
    """Posterior / prior: 0.55 / 0.5 for a, 0.45 / 0.4 for b; the first phone's n-grams are left out of account."""
    one = np.array([[0.55, 0.45]], dtype=np.float32)
    assert _search(tmp_path, lm_weight=1e-6)(one)[0].tolist() == [0]
    assert _search(tmp_path, lm_weight=1e-6, prior_weight=1.0)(one)[0].tolist() == [1]


@pytest.mark.parametrize("module", ["gan.transcribe", "selection.decode"])
def test_decoding_does_not_depend_on_how_the_runs_are_trained(module: str) -> None:
    """After an edit of a loss, runs train again; modules that only decode with trained runs have not changed."""
    sources = {path.stem for path in closure(module) if path.parent.name == "gan"}
    assert {"transcribe", "generator"} < sources
    assert not sources & {
        "losses",
        "penalties",
        "runs",
        "trainer",
        "train",
        "job",
        "check",
        "discriminator",
        "optimizer",
    }
