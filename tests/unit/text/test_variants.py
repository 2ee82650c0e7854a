import pytest

from unscribed.text.variants import LexiconSettings, count_variants, probabilities, tell_apart

INVENTORY = set("abcd")


def words(line):
    return [word.split() for word in line.split("|")]


@pytest.mark.parametrize(
    ("spoken", "isolated", "found"),
    [
        ("ð ɪ|æ p", "ð ə|æ p", "ð ɪ|æ p"),  # as many words
        ("ʌ v ð ə|s ʌ n", "ʌ v|ð ə|s ʌ n", "ʌ v|ð ə|s ʌ n"),  # joined
        ("aʊ ɾ ə v|ð ə", "aʊ t|ʌ v|ð ə", "aʊ ɾ|ə v|ð ə"),  # joined and changed
        ("ɛ k s|ɹ eɪ|h ɪ z", "ɛ k s ɹ eɪ|h ɪ z", "ɛ k s ɹ eɪ|h ɪ z"),  # one word spoken as two
        ("ɛ k s|ɹ eɪ|ʌ v ð ə m", "ɛ k s ɹ eɪ|ʌ v|ð ə|m", "ɛ k s ɹ eɪ|ʌ v|ð ə|m"),
        ("a b x c d", "a b|c d", None),  # x belongs to either word
        ("a b|c", "a b|c|d", None),  # d is not spoken
    ],
)
def test_words_are_told_apart(spoken, isolated, found):
    assert tell_apart(words(spoken), words(isolated)) == (found and words(found))


def test_pronunciations_are_counted_by_word():
    sentences = [["a", "man"], ["the", "apple", "the", "man"], ["a"], []]
    spoken = [words("ɐ|m æ n"), words("ð ɪ|æ p əl|ð ə|m æ n"), words("eɪ"), []]
    man, a = {("m", "æ", "n"): 2}, {("ɐ",): 1, ("eɪ",): 1}
    the = {("ð", "ɪ"): 1, ("ð", "ə"): 1}
    assert count_variants(sentences, spoken) == {"a": a, "man": man, "the": the, "apple": {("æ", "p", "əl"): 1}}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, {"a": 1.0}),  # never spoken in a sentence
        ({"a": 40, "b": 10, "c": 1}, {"a": 1.0, "b": 0.25}),  # c once: below the count
        ({"b": 80, "c": 16, "d": 2}, {"b": 1.0, "c": 0.2, "a": 0.2}),  # d: below the share; a: unseen
        ({"b": 60, "x": 35, "a": 1}, {"b": 1.0, "a": 1.0}),  # x is no phone of the inventory
    ],
)
def test_probabilities(counts, expected):
    counted = {(phone,): count for phone, count in counts.items()}
    found = probabilities(counted, ("a",), INVENTORY, LexiconSettings(min_variant_count=2, min_variant_share=0.05))
    assert found == {(phone,): probability for phone, probability in expected.items()}
