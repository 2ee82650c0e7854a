import math

import pytest
from helpers.tables import filled
from helpers.toy_ctc import LETTERS, PHONES, SEARCH, ctc_world, posteriors

from unscribed.artifacts import read_json
from unscribed.ctc.tune import compared, ctc_tune, word_labels
from unscribed.errors import UserError
from unscribed.frames import FrameWriter
from unscribed.tables import PseudoLabelTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.wfst.tuning import GridSettings, Labels, TuningTable


def labels(folder, rows, kind=PseudoLabelTable):
    filled(kind, utterance=rows, words=rows.values()).write(folder / "labels.parquet")
    return folder / "labels.parquet"


def tune(folder, said, *, transcribed):
    """Tune on one utterance: its posteriors slightly prefer `toe`, the n-grams `to`."""
    scores = posteriors(["t", "o", "e", "|"], LETTERS, [(2, "<pad>", -1.0)])
    paths = ctc_world(folder, LETTERS, {"a": scores, "unlabelled": scores})
    del paths["lexiconp"]
    table = labels(folder, said)
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
    """A negative penalty makes two words of one."""
    paths = ctc_world(tmp_path, PHONES, {"a": posteriors(["t", "<pad>"], PHONES, [(1, "t", -3.0)])})
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
    filled(PseudoLabelTable, utterance=["a"], words=["To, toe!"]).write(tmp_path / "references.parquet")
    filled(PseudoLabelTable, utterance=["a"], words=["to toe"]).write(tmp_path / "pseudo.parquet")
    words = word_labels(tmp_path / "references.parquet", tmp_path / "pseudo.parquet", "en-us")
    letters = word_labels([], tmp_path / "pseudo.parquet", "en-us")
    assert words == Labels({"a": ["to", "toe"]}, fluency=False)
    assert letters == Labels({"a": list("to toe")}, fluency=True)
    assert words.edits("a", compared(["to"], words)) == (1, 2)
    assert letters.edits("a", compared(["to"], letters)) == (4, 6)
