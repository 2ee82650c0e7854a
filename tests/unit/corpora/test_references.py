import logging

import pytest

from unscribed.calls import closure
from unscribed.config.kinds import KINDS
from unscribed.corpora.references import word_references
from unscribed.text.pronouncers import ESPEAK


def test_references_have_the_phones_of_each_word_and_warn_of_unreadable_ones(caplog):
    with caplog.at_level(logging.WARNING):
        first, second = word_references([("a", "The CAT."), ("b", "cat ''' книга")], "en-us", ESPEAK)
    assert first[:2] == ("a", "the cat") and list(first.phones)[-3:] == ["k", "æ", "t"]
    assert second.words == "cat книга" and list(second.phones) == ["k", "æ", "t"]
    assert "1 words of the transcripts have no phones, for example книга" in caplog.text


# hibari writes its references in the job that speaks, and reports no phones
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hibari"])
def test_reading_a_corpus_does_not_depend_on_how_words_become_phones(kind):
    assert "phonemize" not in {path.stem for path in closure("corpora.build", f"corpora.{kind}")}
