import math

import numpy as np
import pytest
from helpers.toy_ctc import LETTERS, PHONES, SEARCH, ctc_world, posteriors

from unscribed.artifacts import write_json
from unscribed.ctc.decode import NbestTable, ctc_ngram
from unscribed.ctc.search import aligned_words
from unscribed.errors import UserError
from unscribed.tables import WordTable
from unscribed.wfst.nbest import NbestSettings


def decode(folder, vocab, utterances, weight=1.0, penalty=0.0):
    paths = ctc_world(folder, vocab, utterances)
    write_json(folder / "weights.json", {"lm_weight": weight, "insertion_penalty": penalty})
    out = {"words": folder / "words.parquet", "nbest": folder / "nbest.parquet", "weights": folder / "weights.json"}
    ctc_ngram(settings=NbestSettings(lattice_beam=12.0, nbest=5), search=SEARCH, threads=2, **paths, **out)
    return WordTable.by_utterance(out["words"]), NbestTable.read(out["nbest"])


def test_letters_with_times_and_the_parts_of_the_score(tmp_path):
    path = ["<pad>", "t", "t", "o", "|", "<pad>", "t", "o", "<pad>", "o", "o", "<pad>"]
    scores = posteriors(path, LETTERS, [(8, "o", -4.0)])
    silence = np.zeros((0, len(LETTERS)))
    table, nbest = decode(tmp_path, LETTERS, {"a": scores, "b": silence}, weight=2.0, penalty=0.5)
    row = table.loc["a"]
    assert row["words"].tolist() == ["to", "too"] and row["status"] == "ok" and row["frames"] == 12
    assert row["word_starts_frames"].tolist() == [1, 6] and row["word_frames"].tolist() == [3, 5]
    assert len(row["phones"]) == 0 and len(row["starts_frames"]) == 0
    assert row["nbest"].tolist()[:2] == ["to too", "to to"]  # without the blank it is `to`
    best, second = nbest.iloc[0], nbest.iloc[1]
    assert best["lm"] == pytest.approx((-0.3 - 1.0 - 0.6) * math.log(10), abs=1e-4)
    assert best["acoustic"] == pytest.approx(scores.max(axis=1).sum(), abs=0.02)  # float16
    assert second["acoustic"] == pytest.approx(best["acoustic"] - 4.0, abs=0.02)
    parts = nbest["acoustic"] / 2 + nbest["lm"] - 0.5 * nbest["words"].map(len)
    assert row["nbest_scores"].tolist() == pytest.approx(parts.tolist(), abs=1e-4)
    shares = np.exp(row["nbest_scores"] - row["nbest_scores"].max())
    same = [line.split()[-1] == "too" for line in row["nbest"]]
    assert row["word_confidences"][1] == pytest.approx(shares[same].sum() / shares.sum(), abs=0.05)
    assert table.loc["b", "status"] == "no_path" and table.loc["b", "frames"] == 0
    assert set(nbest["utterance"]) == {"a"}


def test_phones_and_homophones(tmp_path):
    """t uː is `too` or, half as often, `to`, which the n-grams expect: 0.5 · 10**-0.3 > 10**-1.0."""
    table, nbest = decode(tmp_path, PHONES, {"a": posteriors(["t", "uː", "<pad>", "t", "t", "ə"], PHONES)})
    row = table.loc["a"]
    assert row["words"].tolist() == ["to", "to"]
    assert row["phones"].tolist() == ["t", "uː", "t", "ə"] and row["starts_frames"].tolist() == [0, 1, 3, 5]
    assert row["word_starts_frames"].tolist() == [0, 3] and row["word_frames"].tolist() == [2, 3]
    ranked = row["nbest_scores"][row["nbest"].tolist().index("too to")]
    assert row["nbest_scores"][0] - ranked == pytest.approx(math.log(0.5) + 0.7 * math.log(10), abs=0.01)
    assert nbest["words"].map(len).max() >= 2


def test_times_need_the_words_own_tokens():
    labels = np.array([1, 6, 5])  # blank, t, o
    with pytest.raises(ValueError, match="no pronunciation"):
        aligned_words(labels, ["toe"], LETTERS, {"toe": [("t", "o", "e")]})
    assert aligned_words(np.ones(3, dtype=int), [], LETTERS, {}).tokens == []


def test_posteriors_that_are_not_finite(tmp_path):
    scores = posteriors(["t", "o"], LETTERS)
    scores[1, 0] = np.nan
    with pytest.raises(UserError, match=r"posteriors of a are not finite.*finetune\.learning_rate"):
        decode(tmp_path, LETTERS, {"a": scores})
