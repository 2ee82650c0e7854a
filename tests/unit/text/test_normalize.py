import codecs

import pytest

from unscribed.artifacts import read_json
from unscribed.errors import UserError
from unscribed.text.normalize import NormalizeSettings, normalize

DEFAULTS = {"min_words": 1, "max_words": 60, "on_digits": "drop", "on_foreign_script": "drop"}


def run(tmp_path, text, language="en-us", **options):
    source = tmp_path / "text.txt"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    normalize(
        text=source,
        settings=NormalizeSettings(**{**DEFAULTS, **options}),
        language=language,
        normalized=tmp_path / "clean.txt",
        report=tmp_path / "report.json",
    )
    return (tmp_path / "clean.txt").read_text(encoding="utf-8").splitlines(), read_json(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("“Hello”, World!", "hello world"),
        ("Don’t well-known ’tis the dogs' rock''n", "don't well known tis the dogs rock n"),
        ("U.S.A. (really)…and/or\tmore\r", "u s a really and or more"),
        ("CAFE\u0301 nai\u0308ve", "café naïve"),  # decomposed letters
        ("so\u00adft\u200bhyphen \u263a\ufe0f ok", "soft hyphen ok"),
        ("हिन्दी में, नमस्ते।", "हिन्दी में नमस्ते"),
        ("مَرْحَبًا، يا عالم؟", "مَرْحَبًا يا عالم"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("你好，世界。", "你好 世界"),
        ("東京タワーへ、いく", "東京タワーへ いく"),
        ("Об'єкт — це", "об'єкт це"),
        ("col·lecció · nova", "col·lecció nova"),
    ],
)
def test_clean_line(tmp_path, line, clean):
    assert run(tmp_path, line + "\n")[0] == [clean]


def test_turkish_case(tmp_path):
    assert run(tmp_path, "IŞIK İYİ\n", language="tr")[0] == ["ışık iyi"]


def test_dropped_lines_are_counted_with_examples(tmp_path):
    text = "the first line\n\n   \nin 1999\nनमस्ते\n...\nthe слово\none\na b c d\n"
    lines, report = run(tmp_path, text, min_words=2, max_words=3)
    assert lines == ["the first line"]
    assert {reason: entry["count"] for reason, entry in report["dropped"].items()} == {
        "empty": 2,
        "digits": 1,
        "foreign_script": 2,
        "no_letters": 1,
        "too_few_words": 1,
        "too_many_words": 1,
    }
    assert report["dropped"]["digits"]["examples"] == [{"line": 4, "text": "in 1999"}]
    assert (report["lines"], report["kept"], report["scripts"]) == (9, 1, ["LATIN"])


def test_script_is_that_of_the_majority(tmp_path):
    assert run(tmp_path, "слово и слово\nhello\nе\u0308ж\n", language="ru")[0] == ["слово и слово", "ёж"]


def test_byte_order_mark(tmp_path):
    assert run(tmp_path, codecs.BOM_UTF8 + b"one two\n")[0] == ["one two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good\ncafé\n".encode("latin-1"), r"text\.txt, line 2 \(byte 8 .*iconv -f LATIN1 -t UTF-8"),
        ("good\n".encode("utf-16"), r"line 1 .*iconv -f UTF-16"),
        ("good\n".encode("utf-16-le"), r"line 1 \(byte 1 .*iconv -f UTF-16"),
        (b"", "no letters"),
        (b"\n\n...\n", "no letters"),
        (b"in 1999\n7 up\n", r"no line .*left \(2 lines; dropped: 2 digits\)"),
    ],
)
def test_bad_text(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path, text)
    assert not (tmp_path / "clean.txt").exists()


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*absent\.txt"):
        normalize(
            text=tmp_path / "absent.txt",
            settings=NormalizeSettings(**DEFAULTS),
            language="en-us",
            normalized=tmp_path / "clean.txt",
            report=tmp_path / "report.json",
        )


def test_stop_names_the_line(tmp_path):
    with pytest.raises(UserError, match=r"line 2 has digits: 'in 1999'.*normalize\.on_digits"):
        run(tmp_path, "in may\nin 1999\n", on_digits="stop")
    with pytest.raises(UserError, match=r"line 2 .*'м', CYRILLIC.*LATIN.*normalize\.on_foreign_script"):
        run(tmp_path, "the world\nмир\n", on_foreign_script="stop")


def test_numbers_are_spelled_where_they_can_be(tmp_path):
    """Serbian words come in Latin letters, which do not fit a Cyrillic text; nobody spells Tatar."""
    lines, report = run(tmp_path, "in 1999 they came\nagent 007\nsoon\n", on_digits="spell")
    assert lines == ["in one thousand nine hundred and ninety nine they came", "soon"]
    assert report["dropped"]["digits"]["count"] == 1
    assert run(tmp_path, "било је 21 дан\nбило је\n", language="sr", on_digits="spell")[0] == ["било је"]
    assert run(tmp_path, "21 көн\nкөн\n", language="tt", on_digits="spell")[0] == ["көн"]
