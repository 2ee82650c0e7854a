"""`unscribed doctor`: whether installation, configuration and data are fit to start with."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from unscribed.calls import PACKAGE
from unscribed.config.kinds import KINDS
from unscribed.config.load import load
from unscribed.errors import UserError

PROJECT = PACKAGE.parents[1]  # the folder of the Snakefile
DEFAULTS = PROJECT / "config/config.yaml"
DISK_GB, MEMORY_GB = 5, 4  # free disk and memory that the demo needs
TRIED_LINES = 200  # of the text that are pronounced: all of them are, by the stage phonemize
CHECKED_FILES = 20  # audio files that are decoded: all of them are, by the stage manifest
SECONDS_ENOUGH = 3600  # of audio, below which nothing was ever learned
Finding = tuple[bool, str]  # whether it is well, and what was found


def examine(configfiles: Sequence[Path]) -> bool:
    """Print what is well and what is not, of the installation and, if it is given, of a configuration and its data.

    Returns whether all is well.
    """
    checks: list[Callable[[], Iterator[Finding]]] = [_packages, _phonemizer, _machine]
    findings = [finding for check in checks for finding in _safely(check)]
    if configfiles:
        findings += _safely(lambda: _configuration(configfiles))
    for well, text in findings:
        print(f"{'ok' if well else 'PROBLEM':<8}{text}")
    return all(well for well, _ in findings)


def _safely(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check, a UserError as the last one."""
    try:
        yield from check()
    except UserError as error:
        yield False, str(error)


def _packages() -> Iterator[Finding]:
    """Whether the pinned versions are installed."""
    wrong = []
    for requirement in requires("unscribed") or []:
        if found := re.fullmatch(r"([\w.-]+)==([\w.]+)", requirement):
            name, wanted = found.groups()
            try:
                installed = version(name)
            except PackageNotFoundError:
                installed = "missing"
            if installed.split("+")[0] != wanted:
                wrong.append(f"{name} {installed} instead of {wanted}")
    yield not wrong, f"packages: {'; '.join(wrong) + ': run `make install`' if wrong else 'as pinned'}"


def _phonemizer() -> Iterator[Finding]:
    """Whether eSpeak NG loads and speaks."""
    from unscribed.languages import languages

    yield True, f"eSpeak NG: {len(languages())} languages"


def _machine() -> Iterator[Finding]:
    """Cores, memory, disk, GPU."""
    import torch  # takes two seconds to load

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    yield memory >= MEMORY_GB, f"memory: {memory:.0f} GB, {len(os.sched_getaffinity(0))} cores"
    yield free >= DISK_GB, f"free disk here: {free:.0f} GB (the demo needs {DISK_GB})"
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none, which only large models need"
    yield True, f"GPU: {gpu}"


def _configuration(configfiles: Sequence[Path]) -> Iterator[Finding]:
    """Whether a configuration is valid, and what its audio and text are like."""
    config = load(_merged(configfiles), PROJECT)
    name, kind = config["corpus"]["name"], KINDS[config["corpus"]["kind"]]
    yield True, f"configuration of {name}: valid"
    if kind.speaks:
        yield True, "data: spoken by a synthesiser, nothing to check"
        return
    yield from _data(config, kind.section)


def _merged(configfiles: Sequence[Path]) -> dict[str, Any]:
    """The configuration that Snakemake makes of the defaults and these files. Raises UserError for unreadable ones."""
    from snakemake.utils import update_config

    merged: dict[str, Any] = {}
    for path in [DEFAULTS, *configfiles]:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path} cannot be read ({error}): check the path and its YAML.") from error
        if not isinstance(content, dict):
            raise UserError(f"{path} holds no keys: it should have lines such as `corpus:`.")
        update_config(merged, content)
    return merged


def _data(config: dict[str, Any], section: str) -> Iterator[Finding]:
    """What the reader of the corpus finds: files, some of which are decoded, and the text."""
    from unscribed.audio.manifest import AudioSettings, check
    from unscribed.corpora.build import call_reader
    from unscribed.corpora.layout import Corpus

    corpus_config = config["corpus"]
    settings = corpus_config[section]
    given = {name: corpus_config[name] for name in ("seed", "language")}
    given["phone_map"] = PROJECT / "resources/timit-60-39.tsv"
    corpus: Corpus = call_reader(f"corpora.{corpus_config['kind']}:make_corpus", settings, given)
    splits = Counter(row.split for row in corpus.recordings)
    yield True, f"recordings: {', '.join(f'{count} {split}' for split, count in sorted(splits.items()))}"
    audio = AudioSettings(**{field: config["audio"][field] for field in AudioSettings.__dataclass_fields__})
    step = max(1, len(corpus.recordings) // CHECKED_FILES)
    tried = [check(row.utterance, row.path, audio) for row in corpus.recordings[::step]]
    bad = [recording for recording in tried if recording.reason]
    yield not bad, f"audio: {len(tried) - len(bad)} of {len(tried)} files tried are good"
    yield from ((False, f"  {recording.path} {recording.reason}") for recording in bad)
    seconds = sum(recording.duration_seconds for recording in tried) / max(len(tried), 1) * len(corpus.recordings)
    short = seconds < SECONDS_ENOUGH
    yield not short, f"audio: about {seconds / 3600:.1f} h{', too little to learn from' if short else ''}"
    sentences = list(corpus.sentences)
    yield len(sentences) > 0, f"text: {len(sentences):,} lines"
    if config["phonemize"]["backend"] != "phones":
        yield from _pronounced(sentences[:: max(1, len(sentences) // TRIED_LINES)], config)


def _pronounced(lines: Sequence[str], config: dict[str, Any]) -> Iterator[Finding]:
    """How many of some lines become phones."""
    from unscribed.text.normalize import words_of
    from unscribed.text.pronouncers import PronounceSettings, pronounce

    language, section = config["corpus"]["language"], config["phonemize"]
    words = words_of({str(number): normalize("NFC", line) for number, line in enumerate(lines)}, language)
    spoken = pronounce(
        {word for found in words.values() for word in found},
        language,
        PronounceSettings(section["backend"], section["lexicon"]),
    )
    good = sum(bool(found) and all(spoken[word] for word in found) for found in words.values())
    example = next((word for word, phones in spoken.items() if not phones), None)
    hint = f", for example not {example!r}" if example else ""
    yield good > len(lines) / 2, f"text: {good} of {len(lines)} lines tried can be pronounced{hint}"
