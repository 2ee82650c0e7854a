"""The languages of eSpeak NG, read from its data files: the library stays unloaded, and the configuration is checked
before any work starts.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader

SHORTEST_NAME = 4  # letters of a name that is looked for within names; shorter ones are codes
MOST = 4  # suggestions for an unknown code
CLOSE = 0.75  # similarity from which a code may be a slip of another; lower values offer any short code
USUAL_PRIORITY = 5  # of a voice that states none; eSpeak NG prefers lower ones


@dataclass(frozen=True)
class Language:
    """One voice file: the code that phonemizer takes, the file below `lang`, the English name.

    `priorities` has every code that the file answers to, broader ones included (`en` for `en-gb`); the lowest wins.
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
                priorities[words[0]] = int(words[1]) if len(words) > 1 else USUAL_PRIORITY
        return cls(next(iter(priorities)), path.relative_to(root).as_posix(), name, priorities)


@cache
def languages() -> dict[str, Language]:
    """All languages of the installed eSpeak NG by their code, for example `en-us`."""
    root = Path(espeakng_loader.get_data_path()) / "lang"
    found = (Language.read(path, root) for path in sorted(root.rglob("*")) if path.is_file())
    return {language.code: language for language in found}


def unknown_language(code: str) -> str | None:
    """Why eSpeak NG cannot take `code` as a language, with the codes that may be meant; None if it can."""
    if code in languages():
        return None
    close = suggestions(code)
    hint = f"close: {', '.join(close)}" if close else "codes look like en-us, fr-fr, de, hi"
    return f"eSpeak NG has no language {code!r}; {hint}"


def suggestions(code: str) -> list[str]:
    """Codes that `code` may stand for, the plainest first: `en` may mean en-gb or en-us before a dialect."""
    wanted = code.lower().replace("_", "-")
    base = wanted.split("-")[0]
    close = difflib.get_close_matches(wanted, languages(), cutoff=CLOSE)

    def ways(language: Language) -> list[bool]:
        """The ways in which a language may be meant, the surest first."""
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
        return ways(language).index(True), priority, len(language.code), language.code

    meant = [language for language in languages().values() if any(ways(language))]
    return [language.code for language in sorted(meant, key=rank)[:MOST]]
