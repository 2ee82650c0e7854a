from helpers.configurations import configuration

from unscribed.plan.text import TextPlan


def test_words_are_cleaned_and_phones_are_not() -> None:
    assert TextPlan.from_config(configuration()).clean == "<results>/normalize/text.txt"
    phones = configuration(phonemize={"backend": "phones"})
    assert TextPlan.from_config(phones).clean == "<results>/corpus/text.txt"


def test_search_takes_the_first_order_and_selection_that_of_the_hmms() -> None:
    text = TextPlan.from_config(configuration(phone_lm={"orders": [4, 3, 5]}, hmm={"lm_order": 5}))
    assert text.search_lm == "<results>/phone_lm/4gram.arpa"
    assert text.selection_lm == "<results>/phone_lm/5gram.arpa"


def test_the_users_lexicon_is_an_input() -> None:
    assert TextPlan.from_config(configuration()).own_lexicon == []
    assert TextPlan.from_config(configuration(phonemize={"lexicon": "own.tsv"})).own_lexicon == ["own.tsv"]
