"""Order of phones by manner of articulation, so that confusions within a class lie together."""

import unicodedata

# The letters of a class are in the order of its phones: vowels from close to open, consonants mostly front to back.
VOWELS = "iyɨʉɯuɪʏʊᵻeøɘɵɤoəɚɛœɜɝɞʌɔæɐaɶɑɒ"
STOPS = "pbtdʈɖcɟkɡgqɢʔ"
FRICATIVES = "ɸβfvθðszʃʒʂʐɕʑçʝxɣχʁħʕhɦɬɮ"
NASALS = "mɱnɳɲŋɴ"
APPROXIMANTS = "lɫɭʎʟrɹɻʀɾɽwʍjɥʋɰ"
CLASSES = ("vowels", "stops", "affricates", "fricatives", "nasals", "liquids, glides", "other")
# ARPABET names (TIMIT) whose first letter belongs to another class in IPA
ARPABET = {
    **dict.fromkeys(("ch", "jh"), "affricates"),
    **dict.fromkeys(("th", "dh"), "fricatives"),
    **dict.fromkeys(("em", "en", "eng"), "nasals"),
    **dict.fromkeys(("dx", "el"), "liquids, glides"),
}
MEMBERS = (
    ("vowels", VOWELS),
    ("stops", STOPS),
    ("fricatives", FRICATIVES),
    ("nasals", NASALS),
    ("liquids, glides", APPROXIMANTS),
)


def phone_class(phone: str) -> str:
    """Return the class of an IPA or ARPABET phone by its first letter; a stop with a fricative is an affricate."""
    if phone in ARPABET:
        return ARPABET[phone]
    letters = _letters(phone)
    if len(letters) > 1 and letters[0] in STOPS and letters[1] in FRICATIVES:
        return "affricates"
    return next((name for name, members in MEMBERS if letters and letters[0] in members), "other")


def sort_key(phone: str) -> tuple[int, list[int], str]:
    """Key that sorts phones by class, then in the order of the class's letters."""
    everything = "".join(members for _, members in MEMBERS)
    places = [everything.find(letter) for letter in _letters(phone)]
    return CLASSES.index(phone_class(phone)), places, phone


def printed_letters(phone: str) -> int:
    """Count the letters that a phone takes in print: combining marks take no room."""
    return sum(not unicodedata.combining(sign) for sign in phone)


def _letters(phone: str) -> list[str]:
    """Return the letters of a phone without combining marks, length, stress and other modifiers."""
    # composed first, because ç is a letter of its own; a composed letter that no class has, such as ã, loses its mark
    known = "".join(members for _, members in MEMBERS)
    signs = [
        sign if sign in known else unicodedata.normalize("NFD", sign)[0] for sign in unicodedata.normalize("NFC", phone)
    ]
    return [sign for sign in signs if unicodedata.category(sign) in ("Ll", "Lo")]
