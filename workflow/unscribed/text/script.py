"""The script of a letter, and the scripts that eSpeak NG reads in each language.

eSpeak NG does not refuse a script that it cannot read: it spells it ("Chinese letter, Chinese letter") or switches to
another language. Both would put phones into the text that nobody speaks, so such words are found before it is called.
"""

import unicodedata
from functools import cache

# In all other languages eSpeak NG reads Latin letters only. Keys are full codes or their part before the first hyphen.
# Japanese lacks CJK because eSpeak NG cannot read kanji.
SCRIPTS = {
    "am": {"ETHIOPIC"},
    "ar": {"ARABIC"},
    "as": {"BENGALI"},
    "ba": {"CYRILLIC"},
    "be": {"CYRILLIC"},
    "bg": {"CYRILLIC"},
    "bn": {"BENGALI"},
    "bpy": {"BENGALI"},
    "bs": {"CYRILLIC", "LATIN"},
    "cmn": {"CJK"},
    "cmn-latn-pinyin": {"CJK", "LATIN"},
    "cv": {"CYRILLIC"},
    "el": {"GREEK"},
    "en": {"LATIN", "SHAVIAN"},
    "fa": {"ARABIC"},
    "fa-latn": {"ARABIC", "LATIN"},
    "grc": {"GREEK", "LATIN"},
    "gu": {"GUJARATI"},
    "he": {"HEBREW"},
    "hi": {"DEVANAGARI"},
    "hr": {"CYRILLIC", "LATIN"},
    "hy": {"ARMENIAN"},
    "hyw": {"ARMENIAN"},
    "ja": {"HIRAGANA", "KATAKANA"},
    "ka": {"GEORGIAN"},
    "kk": {"CYRILLIC"},
    "kn": {"KANNADA"},
    "ko": {"HANGUL"},
    "kok": {"DEVANAGARI"},
    "ky": {"CYRILLIC"},
    "lfn": {"CYRILLIC", "LATIN"},
    "mk": {"CYRILLIC", "LATIN"},
    "ml": {"MALAYALAM"},
    "mr": {"DEVANAGARI"},
    "my": {"MYANMAR"},
    "ne": {"DEVANAGARI"},
    "nog": {"CYRILLIC"},
    "or": {"ORIYA"},
    "pa": {"GURMUKHI"},
    "ru": {"CYRILLIC"},
    "sd": {"ARABIC"},
    "shn": {"MYANMAR"},
    "si": {"SINHALA"},
    "sr": {"CYRILLIC", "LATIN"},
    "ta": {"TAMIL"},
    "te": {"TELUGU"},
    "th": {"THAI"},
    "ti": {"ETHIOPIC"},
    "tt": {"CYRILLIC"},
    "ug": {"ARABIC", "LATIN"},
    "uk": {"CYRILLIC"},
    "ur": {"ARABIC"},
    "uz": {"CYRILLIC", "LATIN"},
    "yue": {"CJK", "LATIN"},
}

# The first words of the Unicode names of ª, º and µ, which are not scripts.
ODD_NAMES = {"FEMININE": "LATIN", "MASCULINE": "LATIN", "MICRO": "GREEK"}


@cache
def script_of(character: str) -> str:
    """Return the script of a letter as Unicode names it (`LATIN`, `CJK`); "" for marks, modifiers and non-letters."""
    category = unicodedata.category(character)
    if category[0] != "L" or category == "Lm":
        return ""
    name = unicodedata.name(character, "UNNAMED").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    script = name.replace("-", " ").split()[0]
    return ODD_NAMES.get(script, script)


def scripts_of_language(language: str) -> set[str]:
    """Return the scripts that eSpeak NG can read in a language."""
    return SCRIPTS.get(language) or SCRIPTS.get(language.split("-")[0]) or {"LATIN"}


def is_readable(word: str, scripts: set[str]) -> bool:
    """Tell whether every letter of `word` is in one of `scripts`."""
    return all(script in scripts for script in map(script_of, word) if script)
