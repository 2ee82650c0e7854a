"""Stage phonemize: text to phones, with eSpeak NG (wav2vec-U, section 4.3) or another of `pronouncers`.

Words get the phones that they have in their sentence: isolated, English "a" is eɪ and "to" is tuː, but people say ɐ
and tə. The lexicon counts these pronunciations, so that the phone text and the word decoder use the same.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unscribed.artifacts import write_json
from unscribed.errors import UserError
from unscribed.tables import LexiconTable, SentenceTable
from unscribed.text.inventory import write_inventory
from unscribed.text.lines import read_lines
from unscribed.text.pronounce import speak
from unscribed.text.pronouncers import Pronounced, PronounceSettings, pronounce, read_pronunciations
from unscribed.text.script import scripts_of_language
from unscribed.text.silence import SILENCE
from unscribed.text.variants import tell_apart

RESERVED = {"<s>", "</s>", "<unk>", "<eps>"}  # tokens of language models and graphs, which no phone may be
DISAMBIGUATION = re.compile(r"#\d+")  # symbols of decoding graphs, which no phone may be either
MAX_EXAMPLES = 5  # dropped sentences in the report, for each reason

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhonemizeSettings(PronounceSettings):
    """Section `phonemize` of the configuration."""

    connected: bool
    min_count: int


@dataclass
class _Text:
    """The sentences: their line `numbers`, their words and, from `_pronounce` on, the phones of each word (`spoken`).

    `dropped` maps a reason to its count and examples.
    """

    numbers: list[int] = field(default_factory=list)
    sentences: list[list[str]] = field(default_factory=list)
    spoken: list[list[list[str]]] = field(default_factory=list)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)

    def filter(self, reason: str, find: Callable[[list[str], list[list[str]]], str | None]) -> None:
        """Drop the sentences for which `find`, given words and phones, returns a word or phone as the culprit."""
        examples = []
        kept = []
        for number, words, spoken in zip(self.numbers, self.sentences, self.spoken, strict=True):
            cause = find(words, spoken)
            if cause is None:
                kept.append((number, words, spoken))
            elif len(examples) < MAX_EXAMPLES:
                examples.append({"line": number, "because_of": cause, "text": " ".join(words)[:200]})
        entry = self.dropped.setdefault(reason, {"count": 0, "examples": []})
        entry["count"] += len(self.sentences) - len(kept)
        entry["examples"] = (entry["examples"] + examples)[:MAX_EXAMPLES]
        self.numbers = [number for number, _, _ in kept]
        self.sentences = [words for _, words, _ in kept]
        self.spoken = [spoken for _, _, spoken in kept]


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
    `lexicon` holds all words that have phones, with their isolated pronunciations and their counts in the whole text.
    With the backend `phones` every token of `text` is one phone and one word; `<SIL>` may be among them.
    Raises UserError for an unknown language, and if no sentence or fewer than two phones are left.
    """
    content = _read(text)
    total = len(content.sentences)
    counts = Counter(word for words in content.sentences for word in words)
    pronounced = _as_phones(counts, text) if settings.backend == "phones" else pronounce(counts, language, settings)
    _pronounce(content, pronounced, settings, language, text)
    rare = _drop_rare_phones(content, settings.min_count)
    kept = _phone_counts(content.spoken)
    inventory = _inventory(kept, settings.min_count, text)
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


def _pronounce(
    content: _Text, pronounced: dict[str, list[str]], settings: PhonemizeSettings, language: str, text: str | Path
) -> None:
    """Fill in the phones, of isolated words or connected; drop sentences with unpronounced words or silence only.

    Raises UserError if no sentence is left.
    """
    content.spoken = [[pronounced[word] for word in words] for words in content.sentences]
    content.filter("word_without_phones", lambda words, _: next((word for word in words if not pronounced[word]), None))
    content.filter("silence_only", lambda words, _: SILENCE if set(words) == {SILENCE} else None)
    if not content.sentences:
        raise UserError(_nothing_readable(text, language, settings.backend, content))
    if settings.connected and settings.backend == "espeak":
        own = read_pronunciations(settings.lexicon) if settings.lexicon else {}
        _connect(content, language, own)


def _inventory(counts: Counter[str], min_count: int, text: str | Path) -> list[str]:
    """`<SIL>`, then the phones from the most frequent on. Raises UserError if there are fewer than two phones."""
    inventory = [SILENCE, *sorted(counts.keys() - {SILENCE}, key=lambda phone: (-counts[phone], phone))]
    if len(inventory) < 3:
        raise UserError(
            f"{text} leaves {len(inventory) - 1} phone(s) after dropping those with fewer than {min_count} "
            "occurrences; at least 2 are needed. Give more text or lower phonemize.min_count."
        )
    return inventory


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


def _connect(content: _Text, language: str, own: Pronounced) -> None:
    """Replace isolated pronunciations by those in the sentence, where its words can be told apart.

    Words of the user's lexicon, `own`, keep theirs.
    """
    connected = speak([" ".join(words) for words in content.sentences], language)
    parts = [tell_apart(spoken, isolated) for spoken, isolated in zip(connected, content.spoken, strict=True)]
    spoken = [found or isolated for found, isolated in zip(parts, content.spoken, strict=True)]
    content.spoken = [
        [own.get(word, phones) for word, phones in zip(words, line, strict=True)]
        for words, line in zip(content.sentences, spoken, strict=True)
    ]
    clear = sum(found is not None for found in parts)
    log.info("%.1f %% of the sentences pronounced as a whole, the others word by word", 100 * clear / len(parts))


def _phone_counts(spoken: list[list[list[str]]]) -> Counter[str]:
    return Counter(phone for words in spoken for phones in words for phone in phones)


def _drop_rare_phones(content: _Text, min_count: int) -> dict[str, int]:
    """Drop sentences until every phone left occurs `min_count` times; return the dropped phones with their counts.

    This takes several rounds, because each dropped sentence lowers the counts of its other phones.
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


def _nothing_readable(text: str | Path, language: str, backend: str, content: _Text) -> str:
    examples = [entry["because_of"] for entry in content.dropped["word_without_phones"]["examples"]]
    if backend != "espeak":
        return (
            f"no sentence of {text} can be pronounced by phonemize.backend {backend} in {language!r} "
            f"(corpus.language), for example not {', '.join(map(repr, examples))}. Set the code of its language and "
            "script."
        )
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
