"""Text to phones: eSpeak NG through phonemizer (wav2vec-U, section 4.3).

Words get the phones that they have in their sentence: isolated, English "a" is eɪ and "to" is tuː, but people say ɐ
and tə. The lexicon counts these pronunciations, so that the phone text and the word decoder agree on them.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import espeakng_loader
from phonemizer.backend import EspeakBackend
from phonemizer.backend.espeak.wrapper import EspeakWrapper
from phonemizer.separator import Separator
from tqdm import tqdm

from unscribed.artifacts import write_json
from unscribed.errors import UserError
from unscribed.languages import unknown_language
from unscribed.tables import LexiconTable, SentenceTable
from unscribed.text.inventory import write_inventory
from unscribed.text.lines import read_lines
from unscribed.text.script import is_readable, scripts_of_language
from unscribed.text.silence import SILENCE
from unscribed.text.variants import tell_apart

RESERVED = {"<s>", "</s>", "<unk>", "<eps>"}
DISAMBIGUATION = re.compile(r"#\d+")  # symbols of the decoding graphs
MAX_EXAMPLES = 5
LINES_PER_CALL = 1000

log = logging.getLogger(__name__)
# phonemizer warns through its own logger of every language switch; a logger above CRITICAL keeps the terminal clean.
_silent = logging.Logger("espeak", level=logging.CRITICAL + 1)


@dataclass(frozen=True)
class PhonemizeSettings:
    """Section `phonemize` of the config."""

    backend: str
    connected: bool
    min_count: int


@dataclass
class _Text:
    """Sentences as words and, once `spoken`, as phones per word, with their line numbers.

    `dropped` maps a reason to its count and examples.
    """

    numbers: list[int] = field(default_factory=list)
    sentences: list[list[str]] = field(default_factory=list)
    spoken: list[list[list[str]]] = field(default_factory=list)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)

    def filter(self, reason: str, find: Callable[[list[str], list[list[str]]], str | None]) -> None:
        """Drop the sentences in whose words and phones `find` returns a word or phone to blame."""
        examples = []
        kept = []
        for number, words, spoken in zip(self.numbers, self.sentences, self.spoken, strict=True):
            culprit = find(words, spoken)
            if culprit is None:
                kept.append((number, words, spoken))
            elif len(examples) < MAX_EXAMPLES:
                examples.append({"line": number, "because_of": culprit, "text": " ".join(words)[:200]})
        entry = self.dropped.setdefault(reason, {"count": 0, "examples": []})
        entry["count"] += len(self.sentences) - len(kept)
        entry["examples"] = (entry["examples"] + examples)[:MAX_EXAMPLES]
        self.numbers = [number for number, _, _ in kept]
        self.sentences = [words for _, words, _ in kept]
        self.spoken = [spoken for _, _, spoken in kept]


def phonemize_words(words: list[str], language: str) -> dict[str, list[str]]:
    """Pronounce each word on its own: word to phones, without stress marks.

    A word that eSpeak NG cannot read (no letters, a foreign script) maps to an empty list.
    Raises UserError if eSpeak NG does not know `language`.
    """
    _backend(language)  # an unknown language has no scripts either
    scripts = scripts_of_language(language)
    pronunciations: dict[str, list[str]] = {word: [] for word in words}
    readable = [word for word in pronunciations if word.strip() and is_readable(word, scripts)]
    for word, spoken in zip(readable, speak(readable, language), strict=True):
        pronunciations[word] = [phone for part in spoken for phone in part]
    return pronunciations


def speak(lines: Sequence[str], language: str) -> list[list[list[str]]]:
    """The phones, without stress marks, of each word that eSpeak NG speaks in each line; no line may be empty.

    It may speak one word as several ("x-ray") and several as one ("of the").
    Raises UserError if eSpeak NG does not know `language`.
    """
    backend = _backend(language)
    separator = Separator(phone=" ", word="|", syllable="")
    spoken: list[list[list[str]]] = []
    for start in tqdm(range(0, len(lines), LINES_PER_CALL), desc="phonemize", unit="k lines", disable=None):
        chunk = backend.phonemize(list(lines[start : start + LINES_PER_CALL]), separator=separator, strip=True)
        spoken += [[phones for word in line.split("|") if (phones := word.split())] for line in chunk]
    return spoken


@cache
def _backend(language: str) -> EspeakBackend:
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    if problem := unknown_language(language):
        raise UserError(f"corpus.language: {problem}.")
    return EspeakBackend(language, with_stress=False, language_switch="remove-flags", logger=_silent)


def phonemize(
    *,
    text: str | Path,
    language: str,
    settings: PhonemizeSettings,
    lexicon: str | Path,
    sentences: str | Path,
    phones: str | Path,
    report: str | Path,
) -> None:
    """Write the pronunciations of all words, the sentences as phones, the phone inventory and a report.

    Sentences with a word without phones, or with a phone that occurs less than `settings.min_count` times, are dropped.
    `lexicon` holds all words with phones, isolated, and counted over the whole text. With the backend `phones` every
    token of `text` is one phone and one word; `<SIL>` may be among them.
    Raises UserError for an unknown language and if nothing, or fewer than two phones, are left.
    """
    content = _read(text)
    total = len(content.sentences)
    counts = Counter(word for words in content.sentences for word in words)
    pronounced = _as_phones(counts, text) if settings.backend == "phones" else phonemize_words(list(counts), language)

    content.spoken = [[pronounced[word] for word in words] for words in content.sentences]
    content.filter("word_without_phones", lambda words, _: next((word for word in words if not pronounced[word]), None))
    content.filter("silence_only", lambda words, _: SILENCE if set(words) == {SILENCE} else None)
    if not content.sentences:
        raise UserError(_nothing_readable(text, language, content))
    if settings.connected and settings.backend != "phones":
        _connect(content, language)
    rare = _drop_rare_phones(content, settings.min_count)
    kept = _phone_counts(content.spoken)
    inventory = [SILENCE, *sorted(kept.keys() - {SILENCE}, key=lambda phone: (-kept[phone], phone))]
    if len(inventory) < 3:
        raise UserError(
            f"{text} leaves {len(inventory) - 1} phone(s) after dropping those with fewer than {settings.min_count} "
            "occurrences; at least 2 are needed. Give more text or lower phonemize.min_count."
        )

    _write_tables(content, counts, pronounced, lexicon, sentences)
    write_inventory(phones, inventory)
    summary = {
        "backend": settings.backend,
        "language": language,
        "sentences": total,
        "sentences_kept": len(content.sentences),
        "dropped": content.dropped,
        "words": len(counts),
        "words_without_phones": sum(not found for found in pronounced.values()),
        "phones": {phone: kept[phone] for phone in inventory[1:]},
        "rare_phones": rare,
    }
    write_json(report, summary)
    _log(summary)


def _read(text: str | Path) -> _Text:
    content = _Text()
    for number, line in read_lines(text):
        if words := line.split():
            content.numbers.append(number)
            content.sentences.append(words)
    if not content.sentences:
        raise UserError(f"{text} has no sentences. Give unpaired text, one sentence per line.")
    return content


def _log(summary: dict[str, Any]) -> None:
    dropped = ", ".join(f"{entry['count']} {reason}" for reason, entry in summary["dropped"].items())
    log.info("%d of %d sentences kept (dropped: %s)", summary["sentences_kept"], summary["sentences"], dropped)
    log.info("%d words (%d without phones)", summary["words"], summary["words_without_phones"])
    log.info("%d phones, too rare: %s", len(summary["phones"]), summary["rare_phones"] or "none")


def _as_phones(tokens: Iterable[str], text: str | Path) -> dict[str, list[str]]:
    tokens = set(tokens)
    if found := {token for token in tokens if token in RESERVED or DISAMBIGUATION.fullmatch(token)}:
        raise UserError(
            f"{text} contains {', '.join(sorted(found))}, which language models and graphs reserve. Remove them."
        )
    return {token: [token] for token in tokens}


def _connect(content: _Text, language: str) -> None:
    """Replace the isolated pronunciations by those in the sentence, where its words can be told apart."""
    heard = speak([" ".join(words) for words in content.sentences], language)
    parts = [tell_apart(spoken, alone) for spoken, alone in zip(heard, content.spoken, strict=True)]
    content.spoken = [found or alone for found, alone in zip(parts, content.spoken, strict=True)]
    clear = sum(found is not None for found in parts)
    log.info("%.1f %% of the sentences pronounced as a whole, the others word by word", 100 * clear / len(parts))


def _phone_counts(spoken: list[list[list[str]]]) -> Counter[str]:
    return Counter(phone for words in spoken for phones in words for phone in phones)


def _drop_rare_phones(content: _Text, min_count: int) -> dict[str, int]:
    """Drop sentences until every phone left occurs `min_count` times; return the dropped phones with their counts.

    It takes several rounds because a dropped sentence takes other phones with it.
    """
    dropped: dict[str, int] = {}
    while True:
        counts = _phone_counts(content.spoken)
        rare = {phone: count for phone, count in counts.items() if count < min_count and phone != SILENCE}
        if not rare:
            return dropped
        dropped.update(rare)
        content.filter(
            "rare_phone",
            lambda _, spoken, rare=rare: next((phone for phones in spoken for phone in phones if phone in rare), None),
        )


def _nothing_readable(text: str | Path, language: str, content: _Text) -> str:
    examples = [entry["because_of"] for entry in content.dropped["word_without_phones"]["examples"]]
    return (
        f"no sentence of {text} can be pronounced in the language {language!r} (corpus.language), for example not "
        f"{', '.join(repr(word) for word in examples)}. The likely cause is a script that the language has no phones "
        f"for: it reads {', '.join(sorted(scripts_of_language(language)))}. Set corpus.language to the text's language."
    )


def _write_tables(
    content: _Text,
    counts: Counter[str],
    pronounced: dict[str, list[str]],
    lexicon: str | Path,
    sentences: str | Path,
) -> None:
    words = sorted(word for word, found in pronounced.items() if found and word != SILENCE)
    LexiconTable(word=words, phones=[pronounced[word] for word in words], count=[counts[word] for word in words]).write(
        lexicon
    )
    SentenceTable(sentence=content.numbers, words=content.sentences, phones=content.spoken).write(sentences)
