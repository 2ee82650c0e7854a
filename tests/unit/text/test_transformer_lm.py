import math

import numpy as np
import pytest
import torch
from helpers.tables import filled

from unscribed.artifacts import read_json
from unscribed.config.checks import check
from unscribed.config.schema import complete
from unscribed.errors import UserError
from unscribed.tables import SentenceTable
from unscribed.text import transformer_lm as stage
from unscribed.text.ngram import symbol_table, write_symbols
from unscribed.text.transformer_lm import TransformerLmSettings, mixture_weight, transformer_lm
from unscribed.text.transformer_model import TransformerLm, batches
from unscribed.text.word_lm import WordLmSettings

ANIMALS = ["cat", "dog", "cow"]
CPU = torch.device("cpu")


def grammar(count):
    """The animal at the start comes again at the end, out of a bigram's sight."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        animal = ANIMALS[rng.integers(3)]
        yield [animal, "is", animal]


def train(folder, sentences, **changes):
    settings = {"layers": 1, "dims": 32, "heads": 2, "dropout": 0.0, "word_dropout": 0.0, "epochs": 6}
    settings |= {"batch_tokens": 256, "learning_rate": 0.01, "device": "cpu"} | changes
    table = filled(SentenceTable, sentence=range(len(sentences)), words=sentences)
    table.write(folder / "sentences.parquet")
    write_symbols(folder / "words.txt", symbol_table(sorted({word for line in sentences for word in line} - {"<SIL>"})))
    transformer_lm(
        sentences=folder / "sentences.parquet",
        words=folder / "words.txt",
        ngram=WordLmSettings(order=2, prune=[]),
        settings=TransformerLmSettings(**settings),
        seed=0,
        threads=1,
        model=folder / "model",
        report=folder / "report.json",
    )
    return TransformerLm.read(folder / "model", CPU), read_json(folder / "report.json")


def test_it_learns_a_grammar_that_bigrams_cannot(tmp_path):
    lm, report = train(tmp_path, list(grammar(600)), epochs=12, batch_tokens=64, learning_rate=0.005, dims=64)
    scores = lm.log_probs([line.split() for line in ("cat is cat", "cat is dog", "is cat cat")])
    assert scores[0] > scores[1:].max() + 2
    # Four tokens, the first of which is one of three; to bigrams the third is as well.
    assert report["perplexity"] == pytest.approx(3 ** (1 / 4), abs=0.05)
    assert report["perplexity"] < report["ngram_perplexity"] - 0.1
    assert report["interpolated_perplexity"] < report["perplexity"] + 0.01
    assert report["held_out_tokens"] == 30 * 4 and report["held_out_unknown"] == 0
    assert (tmp_path / "model/config.json").exists() and (tmp_path / "model/model.safetensors").exists()
    assert not list((tmp_path / "model").glob("*.bin"))


def test_the_same_seed_gives_the_same_model(tmp_path):
    sentences = list(grammar(60))
    first, _ = train(tmp_path, sentences, dropout=0.2, word_dropout=0.1, epochs=1)
    weights = (tmp_path / "model/model.safetensors").read_bytes()
    train(tmp_path, sentences, dropout=0.2, word_dropout=0.1, epochs=1)
    assert (tmp_path / "model/model.safetensors").read_bytes() == weights
    assert first.ids["<s>"] == 0 and "#0" not in first.ids and "<eps>" not in first.ids


def random_model(positions):
    torch.manual_seed(0)
    model = TransformerLm.create("ab", layers=1, dims=8, heads=2, dropout=0.5, positions=positions)
    torch.nn.init.normal_(model.model.transformer.wte.weight)
    return model


def test_probabilities_sum_to_one_whatever_the_batch():
    """All tokens after `a` share 1, and neither padding nor the batch's size changes a score."""
    lm = random_model(8)
    words = list(lm.ids)
    following = [lm.token_log_probs([["a", word]])[0][1] for word in words]
    assert np.exp(following).sum() == pytest.approx(1, abs=1e-5)
    sentences = [["a"], ["b", "a", "b", "b"], [], ["b", "a"]]
    together = lm.log_probs(sentences)
    assert together == pytest.approx([lm.log_probs([line], 1)[0] for line in sentences], abs=1e-5)
    assert together[0] == pytest.approx(lm.token_log_probs([["a"]])[0].sum())


def test_unknown_words_and_sentences_longer_than_any_learned():
    lm = random_model(3)
    assert lm.log_probs([["a", "zebra"]]) == pytest.approx(lm.log_probs([["a", "<unk>"]]))
    (rows,) = lm.token_log_probs([["a", "b", "b", "a"]])
    assert len(rows) == 5
    assert rows[:2] == pytest.approx(lm.token_log_probs([["a", "b"]])[0][:2], abs=1e-5)
    pieces = list(lm.pieces(lm.tokens(["a", "b", "b", "a"])))
    assert pieces == [[0, 3, 4, 4], [4, 3, 1]]  # <s> a b b | b a </s>


def test_batches_hold_every_sentence_once():
    lengths = [5, 1, 3, 3, 9, 1]
    found = batches(lengths, 6)
    assert found == [[1, 5], [2, 3], [0], [4]]
    mixed = batches(lengths, 6, np.random.default_rng(1))
    assert sorted(number for batch in mixed for number in batch) == list(range(6))


def test_mixture_by_hand():
    """Three tokens of four are certain to the first model and one to the second: 3/4."""
    ours, theirs = np.log([0.9, 0.9, 0.9, 1e-9]), np.log([1e-9, 1e-9, 1e-9, 0.9])
    assert mixture_weight(ours, theirs) == pytest.approx(0.75, abs=1e-3)


def test_a_loss_that_is_not_finite(tmp_path, monkeypatch, caplog):
    """In the first epoch an error; later the best weights stay."""
    sentences = list(grammar(60))
    with pytest.raises(UserError, match=r"not finite: lower transformer_lm\.learning_rate"):
        train(tmp_path, sentences, learning_rate=1e30)
    assert not (tmp_path / "model").exists()
    later = stage.schedule
    monkeypatch.setattr(stage, "schedule", lambda share: math.inf if share > 0.5 else later(share))
    lm, report = train(tmp_path, sentences, epochs=4)
    assert report["epoch"] == 2 and np.isfinite(lm.log_probs([["cat", "is"]])).all()
    assert "training ends with the best weights so far" in caplog.text


def test_bad_input(tmp_path):
    with pytest.raises(UserError, match=r"sentences\.parquet has 0 sentences: give more text"):
        train(tmp_path, [["<SIL>"]])
    with pytest.raises(UserError, match=r"nowhere is missing or damaged .*run the stage transformer_lm again"):
        TransformerLm.read(tmp_path / "nowhere", CPU)
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match=r"transformer_lm\.device is cuda"):
            train(tmp_path, list(grammar(4)), device="cuda")
    schema = stage.__file__.rsplit("/unscribed/", 1)[0] + "/schemas/config.schema.yaml"
    config = {"corpus": {"name": "a", "kind": "espeak"}, "transformer_lm": {"dims": 30}}
    with pytest.raises(UserError, match=r"transformer_lm\.dims: 30 is no multiple of transformer_lm\.heads"):
        check(complete(config, schema))
