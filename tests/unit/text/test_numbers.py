import re

import pytest
from num2words import CONVERTER_CLASSES

from unscribed.text.numbers import speller


@pytest.mark.parametrize(
    ("language", "line", "spelled"),
    [
        ("en-us", "in 1999 and 3.5", "in one thousand, nine hundred and ninety-nine and three point five"),
        ("en-us", "1,234 men", "one thousand, two hundred and thirty-four men"),
        ("fr-fr", "21 jours", "vingt et un jours"),
        ("fr-ch", "70", "septante"),
        ("tr", "5yıl", "beş yıl"),
        ("en-us", "agent 007, at 1.2.3 or 1234567890123456", "agent 007, at 1.2.3 or 1234567890123456"),
    ],
)
def test_numbers_by_hand(language: str, line: str, spelled: str) -> None:
    found = speller(language)
    assert found is not None and " ".join(found(line).split()) == spelled


def test_a_language_that_nobody_spells() -> None:
    assert speller("tt") is None and speller("hau-Latn") is None


@pytest.mark.parametrize(
    ("language", "number"),
    [
        ("hu", "1234.5678"),  # KeyError in num2words
        ("fa", "47.185505397134"),  # IndexError
        ("ru", "0.00001"),  # ValueError
        ("am", "1999"),  # TypeError
        ("am", "1234567"),  # never returns
        ("en-in", "123456789012"),  # OverflowError
    ],
)
def test_a_number_that_num2words_cannot_say_stays(language: str, number: str) -> None:
    found = speller(language)
    assert found is not None and found(f"a {number} b") == f"a {number} b"


def test_every_language_spells_the_number_or_leaves_it() -> None:
    numbers = ("0", "7", "1999", "54321", "1234567", "123456789012345", "3.25", "1234.5678", "0.0000001")
    for language in CONVERTER_CLASSES:
        found = speller(language.replace("_", "-").lower())
        if found is None:  # codes that are not eSpeak NG's, such as en_NG's region in capitals only
            continue
        for number in numbers:
            spelled = found(number)
            assert spelled == number or (spelled.strip() and not re.search(r"[0-9]", spelled)), (language, number)
