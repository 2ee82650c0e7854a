import logging

import pytest

from unscribed.artifacts import write_json, write_lines
from unscribed.errors import UserError
from unscribed.tables import LexiconTable, SentenceTable
from unscribed.text.lexicon import lexicon, read_lexiconp
from unscribed.text.variants import LexiconSettings


def run(tmp_path, entries, inventory, sentences=()):
    """`sentences` are pairs of words and of their phones, those of one word from the next by `|`."""
    table = LexiconTable(word=entries, phones=entries.values(), count=[1] * len(entries))
    table.write(tmp_path / "lexicon.parquet")
    SentenceTable(
        sentence=range(len(sentences)),
        words=[words.split() for words, _ in sentences],
        phones=[[word.split() for word in phones.split("|")] for _, phones in sentences],
    ).write(tmp_path / "sentences.parquet")
    write_lines(tmp_path / "phones.txt", inventory)
    write_json(tmp_path / "report.json", {"words_without_phones": 3})
    lexicon(
        lexicon_table=tmp_path / "lexicon.parquet",
        sentences=tmp_path / "sentences.parquet",
        phones=tmp_path / "phones.txt",
        text_report=tmp_path / "report.json",
        settings=LexiconSettings(min_variant_count=1, min_variant_share=0.05),
        lexicon=tmp_path / "lexicon.txt",
        lexiconp=tmp_path / "lexiconp.txt",
    )
    return tuple((tmp_path / name).read_text(encoding="utf-8") for name in ("lexicon.txt", "lexiconp.txt"))


def test_sorted_and_filtered(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    entries = {"émile": ["e"], "the": ["ð", "ə"], "loch": ["l", "x"], "don't": ["d"]}
    plain, weighted = run(tmp_path, entries, ["<SIL>", "ð", "ə", "d", "e", "l"])
    assert plain == "don't d\nthe ð ə\némile e\n"
    assert weighted == "don't 1 d\nthe 1 ð ə\némile 1 e\n"
    assert "4 words of the text left out: 3 without phones, 1 for a rare phone" in caplog.text


def test_variants_of_connected_speech(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    entries = {"the": ["ð", "ə"], "apple": ["æ", "p", "əl"], "cat": ["k", "æ", "t"]}
    inventory = ["<SIL>", "ð", "ə", "ɪ", "æ", "p", "əl", "k", "t"]
    sentences = [("the apple", "ð ɪ|æ p əl"), *[("the cat", "ð ə|k æ t")] * 4]
    plain, weighted = run(tmp_path, entries, inventory, sentences)
    assert plain == "apple æ p əl\ncat k æ t\nthe ð ə\nthe ð ɪ\n"
    assert weighted == "apple 1 æ p əl\ncat 1 k æ t\nthe 0.25 ð ɪ\nthe 1 ð ə\n"
    assert read_lexiconp(tmp_path / "lexiconp.txt")[2] == ("the", 0.25, ("ð", "ɪ"))
    assert "3 words in the lexicon, 1 more" in caplog.text


def test_a_word_with_a_rare_phone_on_its_own_is_pronounced_as_in_sentences(tmp_path):
    """Else the word n-grams would have words that the lexicon lacks."""
    entries = {"e": ["ɛː"], "ma": ["m", "a"], "w": ["ʋ"]}
    sentences = [("ma e ma", "m a|e|m a"), *[("e ma", "ɛ|m a")] * 2]
    plain, weighted = run(tmp_path, entries, ["<SIL>", "m", "a", "e", "ɛ"], sentences)
    assert plain == "e e\ne ɛ\nma m a\n"
    assert weighted == "e 0.5 e\ne 1 ɛ\nma 1 m a\n"


def test_phones_as_words_have_no_variants(tmp_path):
    entries = {"AH0": ["AH0"], "tʃ": ["tʃ"]}
    plain, weighted = run(tmp_path, entries, ["<SIL>", "AH0", "tʃ"], [("<SIL> AH0 tʃ", "<SIL>|AH0|tʃ")])
    assert (plain, weighted) == ("AH0 AH0\ntʃ tʃ\n", "AH0 1 AH0\ntʃ 1 tʃ\n")


@pytest.mark.parametrize("entries", [{}, {"loch": ["x"]}])
def test_nothing_left(tmp_path, entries):
    with pytest.raises(UserError, match=r"no word of .*lexicon\.parquet"):
        run(tmp_path, entries, ["<SIL>", "a"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a 1 a", "the ð ə"], r"line 2: expected `word probability phone …`, found 'the ð ə'"),
        (["the"], r"line 1: expected"),
        ([""], r"line 1: expected"),
        (["the 1"], r"line 1: the word 'the' has no pronunciation"),
        (["the 0 ð"], r"line 1: the probability 0 of 'the' is not above 0"),
        (["the 1.5 ð"], r"line 1: the probability 1\.5"),
        (["the nan ð"], r"line 1: the probability nan"),
        ([], "the file is empty"),
    ],
)
def test_damaged_lexicon(tmp_path, lines, message):
    write_lines(tmp_path / "lexiconp.txt", lines)
    with pytest.raises(UserError, match=rf"lexiconp\.txt, .*{message}.*run the stage lexicon again"):
        read_lexiconp(tmp_path / "lexiconp.txt")
