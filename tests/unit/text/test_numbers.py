import pytest

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
