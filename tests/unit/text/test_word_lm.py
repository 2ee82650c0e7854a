import pytest
from helpers.tables import filled

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.tables import SentenceTable
from unscribed.text.arpa import Arpa
from unscribed.text.word_lm import WordLmSettings, spelling_lm, word_lm


def run(tmp_path, sentences, lexicon):
    table = filled(SentenceTable, sentence=range(len(sentences)), words=[line.split() for line in sentences])
    table.write(tmp_path / "sentences.parquet")
    write_lines(tmp_path / "lexiconp.txt", lexicon)
    outputs = {"arpa": "lm.arpa", "fst": "lm.fst", "words": "words.txt", "report": "report.json"}
    word_lm(
        sentences=tmp_path / "sentences.parquet",
        lexicon=tmp_path / "lexiconp.txt",
        settings=WordLmSettings(order=2, prune=[]),
        seed=1,
        **{name: tmp_path / file for name, file in outputs.items()},
    )


def test_stage(tmp_path):
    """Held out are the sentences 1 and 21; `dog` and `sat` are only in the second: two of five words are unknown."""
    sentences = ["<SIL> the cat <SIL>"] * 40
    sentences[21] = "the dog sat"
    run(tmp_path, [*sentences, "<SIL>"], ["cat 1 k", "dog 1 d", "sat 1 s", "the 0.5 ð ɪ", "the 1 ð ə", "émile 1 e"])
    assert (tmp_path / "words.txt").read_text(encoding="utf-8").split("\n") == [
        *("<eps> 0", "cat 1", "dog 2", "sat 3", "the 4", "émile 5", "#0 6", ""),
    ]
    model = Arpa.read(tmp_path / "lm.arpa")
    assert {ngram[0] for ngram in model.log_probs if len(ngram) == 1} == {"<s>", "</s>", "the", "cat", "dog", "sat"}
    report = read_json(tmp_path / "report.json")
    assert (report["order"], report["sentences"], report["ngrams"]["1"]) == (2, 40, 6)
    assert (report["held_out_tokens"], report["held_out_unknown"], report["oov_rate"]) == (5, 2, 0.4)
    assert (tmp_path / "lm.fst").stat().st_size > 100


@pytest.mark.parametrize(
    ("sentences", "lexicon", "message"),
    [
        ([], ["cat 1 k"], r"sentences\.parquet has no words"),
        (["<SIL>"], ["cat 1 k"], r"sentences\.parquet has no words"),
        (["the cat"] * 3, ["cat 1 k"], r"lm\.arpa has 1 token.*for example the"),
        (["the cat"], ["cat 2 k"], r"lexiconp\.txt, line 1: the probability 2"),
    ],
)
def test_bad_input(tmp_path, sentences, lexicon, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path, sentences, lexicon)


def test_unknown_words_are_spelled_as_the_known_ones_each_counted_once(tmp_path):
    write_lines(tmp_path / "lexiconp.txt", ["cat 1 k a t", "kat 0.5 k a t", "tack 1 t a k", "act 1 a k t"])
    write_lines(tmp_path / "phones.txt", ["<SIL>", "a", "k", "t"])
    outputs = {"arpa": "spelling.arpa", "fst": "spelling.fst", "report": "spelling.json"}
    spelling_lm(
        lexicon=tmp_path / "lexiconp.txt",
        phones=tmp_path / "phones.txt",
        seed=0,
        **{name: tmp_path / file for name, file in outputs.items()},
    )
    report = read_json(tmp_path / "spelling.json")
    assert (report["order"], report["sentences"]) == (3, 3)
    assert "<SIL>" not in (tmp_path / "spelling.arpa").read_text() and (tmp_path / "spelling.fst").stat().st_size > 100
