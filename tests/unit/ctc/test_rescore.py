import math

import numpy as np
import pytest
import torch
from helpers.tables import filled

from unscribed.artifacts import read_json, write_json, write_lines
from unscribed.ctc.decode import NbestTable
from unscribed.ctc.nbest_lists import NbestLists, RescoreWeights
from unscribed.ctc.rescore import ctc_transformer
from unscribed.ctc.rescore_tune import RescoreSettings, RescoreTuningTable, candidates, ctc_transformer_tune
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.tables import PseudoLabelTable, WordTable
from unscribed.text.ngram import symbol_table, write_symbols
from unscribed.text.transformer_lm import TransformerLmSettings
from unscribed.text.transformer_model import TransformerLm

VOCAB = ["<pad>", "|", "<unk>", "e", "o", "t"]
LM = TransformerLmSettings(1, 8, 2, 0.0, 0.0, 1, 64, 0.1, "cpu")


def model(folder, favoured):
    """A Transformer that has learned only how probable each word is: its last layer's scale is zero, its shift not."""
    torch.manual_seed(0)
    lm = TransformerLm.create(["to", "toe", "too"], layers=1, dims=8, heads=2, dropout=0.0, positions=9)
    with torch.no_grad():
        lm.model.transformer.ln_f.weight.zero_()
        lm.model.transformer.ln_f.bias[:] = torch.eye(8)[0]
        lm.model.transformer.wte.weight.zero_()
        lm.model.transformer.wte.weight[lm.ids[favoured], 0] = 5.0
    lm.write(folder / "model")
    return folder / "model"


def lists(folder, rows):
    path = folder / "nbest.parquet"
    NbestTable.from_rows(rows).write(path)
    return path


NBEST = [
    ("a", ["to"], -1.0, -1.0),
    ("a", ["toe"], -1.5, -4.0),
    ("a", ["to", "to"], -3.0, -1.5),
    ("b", ["to"], -2.0, -1.0),
    ("b", ["too"], -2.5, -2.0),
]


def choose(folder, words, transcribed, rows=NBEST, **changes):
    path = folder / "labels.parquet"
    kind = PseudoLabelTable
    filled(kind, utterance=words, words=words.values()).write(path)
    grid = {"lm_weights": [1.0], "insertion_penalties": [0.0], "transformer_weights": [0.0, 1.0], "tune_utterances": 9}
    out = {"tuning": folder / "tuning.parquet", "weights": folder / "weights.json"}
    ctc_transformer_tune(
        nbest=lists(folder, rows),
        model=model(folder, "toe"),
        references=path if transcribed else [],
        pseudo_labels=[] if transcribed else path,
        language="en-us",
        settings=RescoreSettings(**grid | changes),
        lm_settings=LM,
        seed=0,
        threads=1,
        **out,
    )
    return RescoreTuningTable.read(out["tuning"]), read_json(out["weights"])


def test_best_by_hand():
    """a: -2, -5.5 and -4.5 with n-grams alone; the Transformer prefers the second, a bonus for words the third."""
    columns = [list(column) for column in zip(*NBEST, strict=True)]
    transformer = np.array([-9.0, -1, -9, -9, -9])
    found = NbestLists(columns[0], columns[1], np.array(columns[2]), np.array(columns[3]), transformer)
    assert found.scores(RescoreWeights(1.0, 0.0, 0.0)).tolist() == [-2.0, -5.5, -4.5, -3.0, -4.5]
    assert found.best(RescoreWeights(1.0, 0.0, 0.0)).tolist() == [0, 3]
    assert found.best(RescoreWeights(1.0, 0.5, 0.0)).tolist() == [1, 3]
    assert found.best(RescoreWeights(1.0, 0.0, 3.0)).tolist() == [2, 3]
    assert found.only(["b"]).best(RescoreWeights(0.0, 1.0, 0.0)).tolist() == [0]


def test_candidates():
    grid = RescoreSettings([2.0], [-0.5, 0.0], [1.0, 0.0], 1)
    expected = [(2, 0, 1), (2, 0, 0), (0, 1, 0.5), (0, 1, 0), (2, 1, 1.5), (2, 1, 0)]
    assert candidates(grid) == [RescoreWeights(*values) for values in expected]


@pytest.mark.parametrize(("word", "weight"), [("toe", 1.0), ("to", 0.0)])
def test_weights_that_fit_the_transcripts(tmp_path, word, weight):
    """The Transformer prefers `toe`: it gets weight if the transcript has `toe`, and none if not."""
    table, weights = choose(tmp_path, {"a": word, "c": "too"}, True)
    assert weights["transformer"] == weight and weights["score"] == 0
    assert table["chosen"].sum() == 1
    assert table[["ngram", "transformer"]].to_numpy().tolist() == [[1, 0], [0, 1], [1, 1]]


def test_weights_without_transcripts(tmp_path):
    """`to` and `toe` are both one edit of three letters from the pseudo-label: the lower perplexity wins."""
    table, weights = choose(tmp_path, {"a": "too"}, False)
    scores = TransformerLm.read(tmp_path / "model", torch.device("cpu")).log_probs([["to"], ["toe"]])
    expected = [-(value + lm) / 4 for value, lm in zip(scores, (-1.0, -4.0), strict=True)]
    assert table["perplexity"].map(math.log).tolist() == pytest.approx([expected[0], expected[1], expected[1]])
    assert table["score"].tolist() == pytest.approx([value / 3 for value in (expected[0], expected[1], expected[1])])
    assert weights["score"] == pytest.approx(table["score"].min())


def rescore(folder, weights):
    """Rescore two utterances: the posteriors of `a` fit toe and to; `b` has no N-best list."""
    scores = np.full((6, len(VOCAB)), -9.0)
    for frame, token in enumerate(["|", "t", "o", "<pad>", "e", "<pad>"]):
        scores[frame, VOCAB.index(token)] = -0.1
    with FrameWriter(folder / "log_probs.npy", {"vocab": VOCAB, "hop_ms": 20.0}, "float16") as store:
        store.append("a", scores)
        store.append("b", scores)
    write_symbols(folder / "words.txt", symbol_table(["to", "toe", "too"]))
    write_lines(folder / "lexiconp.txt", ["to 1 t"])
    write_json(folder / "weights.json", weights)
    ctc_transformer(
        nbest=lists(folder, NBEST[:3]),
        log_probs=folder / "log_probs.npy",
        model=model(folder, "toe"),
        weights=folder / "weights.json",
        lexiconp=folder / "lexiconp.txt",
        word_symbols=folder / "words.txt",
        lm_settings=LM,
        threads=2,
        words=folder / "words.parquet",
    )
    return WordTable.by_utterance(folder / "words.parquet")


def test_the_right_hypothesis_comes_first_with_its_times(tmp_path):
    table = rescore(tmp_path, {"ngram": 1.0, "transformer": 1.0, "word": 0.5})
    row = table.loc["a"]
    assert row["words"].tolist() == ["toe"] and row["nbest"].tolist() == ["toe", "to", "to to"]
    assert row["word_starts_frames"].tolist() == [1] and row["word_frames"].tolist() == [4]
    lm = TransformerLm.read(tmp_path / "model", torch.device("cpu")).log_probs([["toe"], ["to"], ["to", "to"]])
    expected = [(-1.5 - 4 + lm[0] + 0.5) / 2, (-1 - 1 + lm[1] + 0.5) / 2, (-3 - 1.5 + lm[2] + 1) / 2]
    assert row["nbest_scores"].tolist() == pytest.approx(expected)
    shares = np.exp(expected) / np.exp(expected).sum()
    assert row["word_confidences"].tolist() == pytest.approx([shares[0]])
    assert row["frames"] == 6 and row["status"] == "ok" and len(row["phones"]) == 0
    assert table.loc["b", "status"] == "no_path" and table.loc["b", "frames"] == 6
    assert rescore(tmp_path, {"ngram": 1.0, "transformer": 0.0, "word": 0.0}).loc["a", "words"].tolist() == ["to"]


def test_bad_input(tmp_path):
    with pytest.raises(UserError, match=r"nbest\.parquet is empty, nothing was recognised"):
        choose(tmp_path, {"a": "to"}, True, rows=[])
    with pytest.raises(UserError, match="no utterance of the split valid has words"):
        choose(tmp_path, {"c": "to"}, True)
    with pytest.raises(UserError, match=r"labels\.parquet has no column acoustic"):
        NbestLists.read(tmp_path / "labels.parquet", tmp_path / "model", LM)
