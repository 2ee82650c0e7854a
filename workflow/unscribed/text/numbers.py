"""Numbers in digits, spelled out by num2words where it knows the language."""

import re
from collections.abc import Callable

from num2words import CONVERTER_CLASSES, num2words

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+")  # thousands
DECIMAL = re.compile(r"\d+[.,]\d+")
MOST_DIGITS = 15  # a longer row of digits is no number that anybody says
FEWER_DIGITS = {"am": 6}  # num2words never returns from a million in Amharic


def speller(language: str) -> Callable[[str], str] | None:
    """Return the function that spells the numbers of a line in a language (eSpeak NG's code); None if nobody knows it.

    A number that cannot be spelled stays as it is.
    """
    base, _, region = language.partition("-")
    code = next((code for code in (f"{base}_{region.upper()}", base) if code in CONVERTER_CLASSES), None)
    return None if code is None else lambda line: NUMBER.sub(lambda found: _spelled(found[0], code), line)


def _spelled(number: str, code: str) -> str:
    """The words of a number, with spaces around them: digits may touch letters."""
    if len(number) > FEWER_DIGITS.get(code, MOST_DIGITS) or (
        number.startswith("0") and len(number) > 1 and number[1].isdigit()
    ):
        return number
    try:
        if number.isdigit():
            words = num2words(int(number), lang=code)
        elif GROUPED.fullmatch(number):
            words = num2words(int(re.sub(r"[.,]", "", number)), lang=code)
        elif DECIMAL.fullmatch(number):
            words = num2words(float(number.replace(",", ".")), lang=code)
        else:
            return number
    except Exception:
        # A number that its language's converter cannot say ends in whatever error that converter happens to meet:
        # KeyError, IndexError, ValueError, TypeError, OverflowError, RecursionError and NotImplementedError were seen.
        return number
    return f" {words} " if words.strip() else number  # Arabic has no words for some decimals
