import logging

from unscribed.corpora.transcripts import spoken_words, word_references


def test_words_are_lower_case_without_punctuation():
    assert spoken_words("“Don’t 'go', Ms. X-ray… at 5!”") == ["don't", "go", "ms", "x", "ray", "at", "5"]
    assert spoken_words("Größe, ЁЖ; हिन्दी भाषा") == ["größe", "ёж", "हिन्दी", "भाषा"]


def test_references_have_the_phones_of_each_word_and_warn_of_unreadable_ones(caplog):
    with caplog.at_level(logging.WARNING):
        first, second = word_references([("a", "The CAT."), ("b", "cat ''' книга")], "en-us")
    assert first[:2] == ("a", "the cat") and list(first.phones)[-3:] == ["k", "æ", "t"]
    assert second.words == "cat книга" and list(second.phones) == ["k", "æ", "t"]
    assert "1 words of the transcripts have no phones, for example книга" in caplog.text
