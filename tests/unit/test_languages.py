import espeakng_loader
import pytest
from phonemizer.backend import EspeakBackend
from phonemizer.backend.espeak.wrapper import EspeakWrapper

from unscribed.languages import epitran_languages, languages, suggestions, unknown_epitran, unknown_language


def test_the_files_say_what_the_library_knows() -> None:
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    known = EspeakBackend.supported_languages()
    assert {code: name.strip() for code, name in known.items()} == {code: one.name for code, one in languages().items()}


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("en", ["en-gb", "en-us"]),
        ("en_US", ["en-us", "en-gb"]),
        ("english", ["en-gb", "en-us"]),
        ("fr", ["fr-fr", "fr-be"]),
        ("FR-fr", ["fr-fr"]),
        ("german", ["de"]),
        ("zh", ["cmn"]),  # a code that eSpeak NG knows by another
        ("no", ["nb"]),
        ("pt-pt", ["pt"]),
        ("enus", ["en-us"]),
        ("qqq", []),
    ],
)
def test_the_plainest_code_is_suggested_first(code: str, first: list[str]) -> None:
    found = suggestions(code)
    assert found[: len(first)] == first and bool(found) == bool(first)
    assert len(found) <= 4 and "en-shaw" not in found


def test_what_is_wrong_with_a_code() -> None:
    assert unknown_language("fr-fr") is None
    assert unknown_language("german") == "eSpeak NG has no language 'german'; close: de"
    assert unknown_language("qqq") == "eSpeak NG has no language 'qqq'; codes look like en-us, fr-fr, de, hi"


def test_languages_of_epitran() -> None:
    assert {"hau-Latn", "yor-Latn", "zul-Latn", "kin-Latn", "amh-Ethi"} <= set(epitran_languages())
    assert not {"count_phone", "uew"} & set(epitran_languages())
    assert unknown_epitran("som-Latn") is None
    assert unknown_epitran("kir") == "epitran has no language 'kir'; close: kir-Arab, kir-Cyrl, kir-Latn"
    assert unknown_epitran("???") == "epitran has no language '???'; codes look like hau-Latn, amh-Ethi, kir-Cyrl"


def test_without_epitran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unscribed.languages.epitran_languages", lambda: [])
    assert "epitran is not installed: run `make install`" in str(unknown_epitran("hau-Latn"))
