import math

import numpy as np
import pytest
from helpers.tables import filled

from unscribed.artifacts import read_json, write_json, write_lines
from unscribed.ctc.decode import NbestTable, ctc_ngram
from unscribed.ctc.graph import ctc_graph
from unscribed.ctc.search import aligned_words
from unscribed.ctc.tune import compared, ctc_tune, word_labels
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.tables import PseudoLabelTable, ReferenceTable, WordTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import compile_fst, perplexity, symbol_table, write_symbols
from unscribed.wfst.nbest import NbestSettings
from unscribed.wfst.search import SearchSettings
from unscribed.wfst.tuning import GridSettings, Labels, TuningTable

LETTERS = ["<pad>", "|", "<unk>", "e", "o", "t"]
PHONES = ["<pad>", "t", "ə", "uː"]
WORDS = ["to", "toe", "too"]
ARPA = ["\\data\\", "ngram 1=5", "", "\\1-grams:", "-99\t<s>", "-0.6\t</s>"]
ARPA += ["-0.3\tto", "-0.9\ttoe", "-1.0\ttoo", "", "\\end\\"]
UNLIKELY = -9.0
SEARCH = SearchSettings(beam=50.0, max_active=10_000)


def posteriors(path, vocab, unsure=()):
    """Frames that say `path`; in those of `unsure`, another token is probable too: (frame, token, log odds)."""
    scores = np.full((len(path), len(vocab)), UNLIKELY)
    scores[np.arange(len(path)), [vocab.index(token) for token in path]] = 0.0
    for frame, token, odds in unsure:
        scores[frame, vocab.index(token)] = odds
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def world(folder, vocab, utterances):
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


def decode(folder, vocab, utterances, weight=1.0, penalty=0.0):
    paths = world(folder, vocab, utterances)
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


def labels(folder, rows, kind=ReferenceTable):
    filled(kind, utterance=rows, words=rows.values()).write(folder / "labels.parquet")
    return folder / "labels.parquet"


def tune(folder, said, *, transcribed):
    """One utterance that sounds like `toe`, a little; the n-grams want `to`."""
    scores = posteriors(["t", "o", "e", "|"], LETTERS, [(2, "<pad>", -1.0)])
    paths = world(folder, LETTERS, {"a": scores, "unlabelled": scores})
    del paths["lexiconp"]
    table = labels(folder, said, ReferenceTable if transcribed else PseudoLabelTable)
    given = {"references": table, "pseudo_labels": []} if transcribed else {"references": [], "pseudo_labels": table}
    out = {"tuning": folder / "tuning.parquet", "weights": folder / "weights.json"}
    grid = GridSettings(lm_weights=[0.5, 4.0], insertion_penalties=[0.0], tune_utterances=10)
    ctc_tune(language="en-us", grid=grid, search=SEARCH, seed=0, threads=1, **paths, **given, **out)
    return TuningTable.read(out["tuning"]), read_json(out["weights"])


@pytest.mark.parametrize(("word", "weight"), [("Toe!", 0.5), ("to", 4.0)])
def test_weights_that_fit_the_transcripts(tmp_path, word, weight):
    table, weights = tune(tmp_path, {"a": word}, transcribed=True)
    assert weights == {"lm_weight": weight, "insertion_penalty": 0.0, "score": 0.0}
    assert table["edit_rate"].tolist() == ([0, 1] if weight == 0.5 else [1, 0])
    assert table["chosen"].tolist() == [weight == 0.5, weight == 4.0]


def test_weights_without_transcripts(tmp_path):
    """Pseudo-labels `too`: `toe` and `to` are one letter of three away; the perplexity decides."""
    table, weights = tune(tmp_path, {"a": "too"}, transcribed=False)
    assert table["edit_rate"].tolist() == pytest.approx([1 / 3, 1 / 3])
    model = Arpa.read(tmp_path / "lm.arpa")
    expected = [perplexity(model, [word])["perplexity"] for word in ("toe", "to")]
    assert table["perplexity"].tolist() == pytest.approx(expected)
    assert table["score"].tolist() == pytest.approx([math.log(value) / 3 for value in expected])
    assert weights["lm_weight"] == 4.0


def test_penalty_counts(tmp_path):
    """A bonus for words makes two of one."""
    paths = world(tmp_path, PHONES, {"a": posteriors(["t", "<pad>"], PHONES, [(1, "t", -3.0)])})
    del paths["lexiconp"]
    scores = posteriors(["t", "<pad>", "t"], PHONES, [(1, "t", -0.5)])
    with FrameWriter(tmp_path / "log_probs.npy", {"vocab": PHONES, "hop_ms": 20.0}) as store:
        store.append("a", scores)
    out = {"tuning": tmp_path / "tuning.parquet", "weights": tmp_path / "weights.json"}
    given = {"references": labels(tmp_path, {"a": "toe toe"}), "pseudo_labels": [], "language": "en-us"}
    grid = GridSettings(lm_weights=[1.0], insertion_penalties=[2.0, -4.0], tune_utterances=10)
    ctc_tune(grid=grid, search=SEARCH, seed=0, threads=1, **paths, **given, **out)
    assert read_json(out["weights"])["insertion_penalty"] == -4.0


def test_nothing_to_choose_by(tmp_path):
    with pytest.raises(UserError, match="neither transcripts nor pseudo-labels"):
        word_labels([], [], "en-us")
    with pytest.raises(UserError, match="no utterance of the split valid has words"):
        tune(tmp_path, {"other": "to"}, transcribed=True)


def test_labels_are_words_of_transcripts_or_letters_of_pseudo_labels(tmp_path):
    filled(ReferenceTable, utterance=["a"], words=["To, toe!"]).write(tmp_path / "references.parquet")
    filled(PseudoLabelTable, utterance=["a"], words=["to toe"]).write(tmp_path / "pseudo.parquet")
    words = word_labels(tmp_path / "references.parquet", tmp_path / "pseudo.parquet", "en-us")
    letters = word_labels([], tmp_path / "pseudo.parquet", "en-us")
    assert words == Labels({"a": ["to", "toe"]}, transcribed=True)
    assert letters == Labels({"a": list("to toe")}, transcribed=False)
    assert words.edits("a", compared(["to"], words)) == (1, 2)
    assert letters.edits("a", compared(["to"], letters)) == (4, 6)
