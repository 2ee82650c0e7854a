"""The languages of eSpeak NG and epitran, read from their files, so that a configuration is checked before work starts.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import espeakng_loader

SHORTEST_NAME = 4  # letters from which an unknown code is also searched for within language names
MAX_SUGGESTIONS = 4  # more would hide the likely ones
MIN_SIMILARITY = 0.75  # of difflib, 0 to 1: codes at least as similar may be misspelt; less suggests any short code
DEFAULT_PRIORITY = 5  # of a voice file that states none, as in eSpeak NG, which prefers lower numbers


@dataclass(frozen=True)
class Language:
    """One voice file: the `code` that phonemizer takes, the `file` below the folder `lang`, the English `name`.

    `priorities` holds every code that the file serves, broader ones included (`en` for `en-gb`), with its priority:
    eSpeak NG takes the file with the lowest.
    """

    code: str
    file: str
    name: str
    priorities: dict[str, int]

    @classmethod
    def read(cls, path: Path, root: Path) -> "Language":
        """Read a voice file below `root`."""
        name, priorities = "", {}
        for line in path.read_text(encoding="utf-8").splitlines():
            key, *words = line.partition("//")[0].split() or [""]
            if key == "name":
                name = " ".join(words)
            elif key == "language":
                priorities[words[0]] = int(words[1]) if len(words) > 1 else DEFAULT_PRIORITY
        return cls(next(iter(priorities)), path.relative_to(root).as_posix(), name, priorities)


@cache
def languages() -> dict[str, Language]:
    """Return all languages of the installed eSpeak NG by their code, for example `en-us`."""
    root = Path(espeakng_loader.get_data_path()) / "lang"
    found = (Language.read(path, root) for path in sorted(root.rglob("*")) if path.is_file())
    return {language.code: language for language in found}


def unknown_language(code: str) -> str | None:
    """Return an error message with similar codes if eSpeak NG has no language `code`, else None."""
    if code in languages():
        return None
    close = suggestions(code)
    hint = f"close: {', '.join(close)}" if close else "codes look like en-us, fr-fr, de, hi"
    return f"eSpeak NG has no language {code!r}; {hint}"


def suggestions(code: str) -> list[str]:
    """Return the codes that `code` may stand for, likeliest first: for `en`, en-gb and en-us before the dialects."""
    wanted = code.lower().replace("_", "-")
    base = wanted.split("-")[0]
    close = difflib.get_close_matches(wanted, languages(), cutoff=MIN_SIMILARITY)

    def signs(language: Language) -> list[bool]:
        """Tests of whether a language is meant, the surest first."""
        return [
            language.code == wanted,
            not {wanted, base}.isdisjoint(language.priorities),
            language.name.lower().startswith(wanted),
            len(wanted) >= SHORTEST_NAME and wanted in language.name.lower(),
            language.code in close,
            language.code.split("-")[0] == base,
        ]

    def rank(language: Language) -> tuple[int, int, int, str]:
        claims = [language.priorities[key] for key in (wanted, base) if key in language.priorities]
        priority = min(claims or language.priorities.values())
        return signs(language).index(True), priority, len(language.code), language.code

    meant = [language for language in languages().values() if any(signs(language))]
    return [language.code for language in sorted(meant, key=rank)[:MAX_SUGGESTIONS]]


# The scripts of epitran's codes, as unscribed.text.script names them.
EPITRAN_SCRIPTS = {
    "Arab": "ARABIC",
    "Beng": "BENGALI",
    "Cyrl": "CYRILLIC",
    "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC",
    "Geor": "GEORGIAN",
    "Guru": "GURMUKHI",
    "Knda": "KANNADA",
    "Khmr": "KHMER",
    "Laoo": "LAO",
    "Latn": "LATIN",
    "Mlym": "MALAYALAM",
    "Mymr": "MYANMAR",
    "Orya": "ORIYA",
    "Sinh": "SINHALA",
    "Taml": "TAMIL",
    "Telu": "TELUGU",
    "Thai": "THAI",
}


@cache
def epitran_languages() -> list[str]:
    """Return the codes of the installed epitran, for example `hau-Latn`; none if it is not installed."""
    package = find_spec("epitran")
    if package is None or not package.origin:
        return []
    maps = (Path(package.origin).parent / "data/map").glob("*.csv")
    return sorted(path.stem for path in maps if re.fullmatch(r"[a-z]{3}-[A-Z][a-z]{3}(-\w+)?", path.stem))


def unknown_epitran(code: str) -> str | None:
    """Return an error message with similar codes if epitran has no language `code`, else None."""
    known = epitran_languages()
    if code in known:
        return None
    if not known:
        return "epitran is not installed: run `make install`, or set phonemize.backend to espeak or letters"
    base = code.lower().replace("_", "-").split("-")[0]
    close = [name for name in known if name.startswith(base)] or difflib.get_close_matches(code, known)
    hint = f"close: {', '.join(close[:MAX_SUGGESTIONS])}" if close else "codes look like hau-Latn, amh-Ethi, kir-Cyrl"
    return f"epitran has no language {code!r}; {hint}"
