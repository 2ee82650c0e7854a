from unscribed.figures import phone_classes


def test_phones_are_sorted_by_class() -> None:
    assert sorted(["n̩", "s", "tʃ", "ɔː", "t", "iː", "w", "#"], key=phone_classes.sort_key) == [
        *("iː", "ɔː", "t", "tʃ", "s", "n̩", "w", "#")
    ]
    named = {
        "th": "fricatives",
        "jh": "affricates",
        "aa": "vowels",
        "dx": "liquids, glides",
        "hh": "fricatives",
        "ŋ": "nasals",
    }
    assert {phone: phone_classes.phone_class(phone) for phone in named} == named
