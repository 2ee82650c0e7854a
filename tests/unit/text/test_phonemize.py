import pytest

from unscribed.artifacts import read_json
from unscribed.errors import UserError
from unscribed.tables import LexiconTable, SentenceTable
from unscribed.text.phonemize import PhonemizeSettings, phonemize
from unscribed.text.pronounce import phonemize_words


def run(tmp_path, text, language="en-us", backend="espeak", connected=True, min_count=1, lexicon=""):
    source = tmp_path / "text.txt"
    source.write_text(text, encoding="utf-8")
    paths = {name: tmp_path / file for name, file in OUTPUTS.items()}
    settings = PhonemizeSettings(backend, lexicon, connected, min_count)
    phonemize(text=source, language=language, settings=settings, **paths)
    return (
        LexiconTable.read(paths["lexicon"]),
        SentenceTable.read(paths["sentences"]),
        paths["phones"].read_text(encoding="utf-8").split(),
        read_json(paths["report"]),
    )


OUTPUTS = {
    "lexicon": "lexicon.parquet",
    "sentences": "sentences.parquet",
    "phones": "phones.txt",
    "report": "report.json",
}


@pytest.mark.parametrize(
    ("language", "word", "phones"),
    [
        ("en-us", "thing", "θ ɪ ŋ"),
        ("en-us", "don't", "d oʊ n t"),
        ("en-us", "judge", "dʒ ʌ dʒ"),
        ("en-us", "x-ray", "ɛ k s ɹ eɪ"),  # two words for eSpeak NG: their phones must not stick together
        ("de", "ich", "ɪ ç"),
        ("fr-fr", "l'eau", "l o"),
        ("fr-fr", "football", "f ʊ t b ɔː l"),  # read as English: the flags (en)…(fr) are no phones
        ("hi", "नमस्ते", "n ə m ʌ s t eː"),
        ("cmn", "你好", "n i2 χ ɑu2"),
        ("ru", "привет", "p rʲ i vʲ e t"),
        ("ko", "안녕", "ɐ n n j ʌ ŋ"),
    ],
)
def test_pronunciations(language, word, phones):
    assert phonemize_words([word], language)[word] == phones.split()


def test_words_that_cannot_be_read_have_no_phones(capfd):
    found = phonemize_words(["cat", "", "'", "…", "мир", "你好", "café", "cat"], "en-us")
    assert [word for word, phones in found.items() if phones] == ["cat", "café"]
    assert phonemize_words(["hello", "日本"], "ja") == {"hello": [], "日本": []}
    phonemize_words(["weekend"], "fr-fr")
    assert "warning" not in capfd.readouterr().err.lower()


@pytest.mark.parametrize(
    ("language", "hint"), [("en", "en-us"), ("en_US", "en-us"), ("german", "de"), ("qqq", "fr-fr")]
)
def test_unknown_language(language, hint):
    with pytest.raises(UserError, match=rf"corpus\.language.*{hint}"):
        phonemize_words(["a"], language)


def test_stage(tmp_path):
    lexicon, sentences, phones, report = run(tmp_path, "the cat\nthe мир\nthe cat sat\n")
    assert lexicon["word"].tolist() == ["cat", "sat", "the"]
    assert lexicon["count"].tolist() == [2, 1, 3]
    assert sentences["sentence"].tolist() == [1, 3]
    assert [list(word) for word in sentences["phones"][0]] == [["ð", "ə"], ["k", "æ", "t"]]
    assert phones == ["<SIL>", "t", "æ", "k", "ð", "ə", "s"]
    assert report["dropped"]["word_without_phones"] == {
        "count": 1,
        "examples": [{"line": 2, "because_of": "мир", "text": "the мир"}],
    }


@pytest.mark.parametrize(
    ("connected", "phones"), [(True, "ð ɪ|æ p əl|ʌ v|ð ə|m æ n"), (False, "ð ə|æ p əl|ʌ v|ð ə|m æ n")]
)
def test_words_get_the_phones_of_their_sentence(tmp_path, connected, phones):
    lexicon, sentences, inventory, _ = run(tmp_path, "the apple of the man\n", connected=connected)
    assert "|".join(" ".join(word) for word in sentences["phones"][0]) == phones
    assert sentences["words"][0].tolist() == ["the", "apple", "of", "the", "man"]
    assert dict(zip(lexicon["word"], lexicon["phones"], strict=True))["the"].tolist() == ["ð", "ə"]  # isolated
    assert ("ɪ" in inventory) == connected


def test_min_count_counts_the_phones_of_sentences(tmp_path):
    """Isolated, "a" is eɪ; in the sentences it is ɐ, so that eɪ is neither in the inventory nor rare."""
    text = "a man\na man\n"
    _, sentences, inventory, report = run(tmp_path, text, min_count=2)
    assert [list(word) for word in sentences["phones"][1]] == [["ɐ"], ["m", "æ", "n"]]
    assert "ɐ" in inventory and "eɪ" not in inventory and report["rare_phones"] == {}
    _, _, inventory, _ = run(tmp_path, text, connected=False, min_count=2)
    assert "eɪ" in inventory and "ɐ" not in inventory


def test_rare_phones_go_with_their_sentences_until_none_is_left(tmp_path):
    # d occurs once; without its sentence c is rare too.
    text = "a b a b\na b c\nb a c d\n"
    _, sentences, phones, report = run(tmp_path, text, backend="phones", min_count=2)
    assert sentences["sentence"].tolist() == [1]
    assert phones == ["<SIL>", "a", "b"]
    assert report["rare_phones"] == {"d": 1, "c": 1}
    assert report["dropped"]["rare_phone"]["count"] == 2
    assert report["phones"] == {"a": 2, "b": 2}


def test_phones_backend_keeps_silence_and_takes_any_token(tmp_path):
    lexicon, sentences, phones, report = run(tmp_path, "<SIL> tʃ AH0 <SIL>\n<SIL>\ntʃ\n", backend="phones")
    assert sentences["words"][0].tolist() == ["<SIL>", "tʃ", "AH0", "<SIL>"]
    assert phones == ["<SIL>", "tʃ", "AH0"]
    assert lexicon["word"].tolist() == ["AH0", "tʃ"]
    assert report["dropped"]["silence_only"]["count"] == 1


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "no sentences"),
        ("\n \n", {}, "no sentences"),
        ("привет мир\nмир\n", {}, r"'en-us'.*'привет'.*script.*LATIN"),
        ("日本\n", {"language": "ja"}, "HIRAGANA, KATAKANA"),
        ("the cat\n", {"language": "xx"}, r"corpus\.language"),
        ("the cat\n", {"min_count": 30}, r"leaves 0 phone.*phonemize\.min_count"),
        ("a a\na\n", {"backend": "phones"}, "leaves 1 phone"),
        ("a b <s>\n", {"backend": "phones"}, "<s>.*reserve"),
        ("a #1 h# <eps>\n", {"backend": "phones"}, "contains #1, <eps>, .*reserve"),
    ],
)
def test_bad_text(tmp_path, text, options, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path, text, **options)
    assert not (tmp_path / "phones.txt").exists()


def test_a_word_of_the_users_lexicon_keeps_its_phones_in_sentences(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text("cat\tk ɑ t\n", encoding="utf-8")
    lexicon, sentences, phones, _ = run(tmp_path, "a cat\nthe dog\n", lexicon=str(own))
    said = dict(zip(sentences["words"][0], sentences["phones"][0], strict=True))
    assert list(said["cat"]) == ["k", "ɑ", "t"] and list(said["a"]) == ["ɐ"]  # the article as in its sentence
    assert list(lexicon.set_index("word")["phones"]["cat"]) == ["k", "ɑ", "t"] and "ɑ" in phones


@pytest.mark.parametrize(("backend", "language"), [("letters", "wo"), ("epitran", "hau-Latn")])
def test_languages_without_espeak(tmp_path, backend, language):
    lexicon, sentences, phones, report = run(tmp_path, "yara na\nkasa\n", language, backend)
    assert lexicon["word"].tolist() == ["kasa", "na", "yara"] and len(sentences) == 2
    assert {"<SIL>", "k", "s"} <= set(phones) and report["backend"] == backend


def test_a_script_that_epitran_cannot_read(tmp_path):
    with pytest.raises(UserError, match=r"can be pronounced by phonemize\.backend epitran in 'hau-Latn'.*'привет'"):
        run(tmp_path, "привет мир\n", "hau-Latn", "epitran")
