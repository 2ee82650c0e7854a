from pathlib import Path

import pytest

from unscribed.errors import UserError
from unscribed.text.pronouncers import PronounceSettings, by_epitran, by_letters, pronounce, read_pronunciations


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("ɲama", ["ɲ", "a", "m", "a"]),
        ("ẹ̀kọ́", ["ẹ̀", "k", "ọ́"]),  # a letter with its marks, composed or not
        ("l'eau", ["l", "e", "a", "u"]),
        ("བོད", ["བོ", "ད"]),  # Tibetan: the vowel sign belongs to its consonant
        ("'", []),
    ],
)
def test_letters(word: str, phones: list[str]) -> None:
    assert by_letters([word], "any") == {word: phones}


def test_epitran_by_hand() -> None:
    """Tones are left out, marks that stand alone go with their phone, and a foreign script has no phones."""
    hausa = by_epitran(["yara", "жук", "x-"], "hau-Latn")
    assert hausa["yara"] == ["j", "a", "ɽ", "a"] and hausa["жук"] == []
    assert by_epitran(["ẹ̀kọ́"], "yor-Latn") == {"ẹ̀kọ́": ["ɛ", "k", "ɔ"]}
    assert by_epitran(["ngqongqo"], "zul-Latn") == {"ngqongqo": ["ŋ", "ǃ̤", "o", "ŋ", "ǃ̤", "o"]}


def test_unknown_languages_of_epitran_are_named_with_likely_ones() -> None:
    with pytest.raises(UserError, match="epitran has no language 'hau'; close: hau-Latn"):
        by_epitran(["yara"], "hau")


def test_the_users_lexicon_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    path.write_text("Kadi\tk a dʒ i\n\nkadi\tk a d i\nba\tb aː\n", encoding="utf-8")
    found = pronounce(["kadi", "ba", "ta"], "any", PronounceSettings("letters", str(path)))
    assert found == {"kadi": ["k", "a", "dʒ", "i"], "ba": ["b", "aː"], "ta": ["t", "a"]}
    assert pronounce(["ba"], "en-us", PronounceSettings("espeak", "")) == {"ba": ["b", "ɑː"]}


@pytest.mark.parametrize("line", ["kadi k a d i", "kadi\t", "\tk a d i"])
def test_malformed_lexicons_are_named_by_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "own.tsv"
    path.write_text(f"ba\tb a\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"phonemize\.lexicon: .*own\.tsv, line 2 is not `word<TAB>phones`"):
        read_pronunciations(path)
