"""A corpus spoken by a synthesiser: Bible clauses with splits, and text that is never spoken. No downloads.

The kinds espeak and hibari share this module; they differ in the function that speaks and in their references.
"""

import logging
import multiprocessing
import random
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import soundfile
from tqdm import tqdm

from unscribed.artifacts import Pathlike, atomic_folder
from unscribed.corpora.bible import clauses
from unscribed.corpora.layout import Corpus, Recording, Reference, References
from unscribed.errors import UserError

BATCH = 32  # sentences per call of `speak`; another number changes the samples of kind espeak slightly

log = logging.getLogger(__name__)
TimedPhones = list[tuple[float, str]]  # (start in seconds, phone) in order; empty if the synthesiser reports none
Spoken = tuple[np.ndarray, TimedPhones]  # int16 samples (T,), phones
Speak = Callable[[Sequence[str]], list[Spoken]]
Item = TypeVar("Item")


@dataclass(frozen=True)
class SpokenSettings:
    """Settings that the sections `corpus.espeak` and `corpus.hibari` of the configuration share."""

    voice: str
    translation: str
    text_translation: str
    train_hours: float
    valid_utterances: int
    test_utterances: int
    text_sentences: int
    min_words: int
    max_words: int


class SpokenSentence(NamedTuple):
    """One spoken sentence of the corpus, with the phones that the synthesiser reported."""

    utterance: str
    sentence: str
    phones: TimedPhones


def speak_corpus(
    *,
    settings: SpokenSettings,
    section: str,
    speak: Speak,
    seed: int,
    sample_rate_hz: int,
    threads: int,
    audio: Pathlike,
    make_references: Callable[[Iterable[SpokenSentence]], Iterable[Reference]],
) -> Corpus:
    """Speak Bible clauses into the folder `audio` (16-bit WAV); other clauses become the unpaired text.

    Clauses are shuffled by `seed` and spoken until `train_hours` are reached, then for valid and test. `speak` is
    called in `threads` processes with BATCH sentences at a time; the result does not depend on the number of processes.
    `make_references` makes the references of the spoken sentences. Raises UserError, naming keys of `section`, if the
    translations are unknown, not installed or too short.
    """
    if settings.min_words > settings.max_words:
        raise UserError(f"{section}.min_words is above {section}.max_words: set the lower one below the upper.")
    sentences = _shuffled(settings.translation, settings, seed)
    rows: list[Recording] = []
    spoken: list[SpokenSentence] = []
    started, seconds = time.monotonic(), 0.0
    with atomic_folder(audio) as folder, closing(speak_all(sentences, speak, threads)) as stream:
        for split, name, sentence, samples, phones in _assigned(stream, settings, section, sample_rate_hz):
            soundfile.write(folder / f"{name}.wav", samples, sample_rate_hz, subtype="PCM_16")
            rows.append(Recording(name, split, str(Path(audio) / f"{name}.wav")))
            spoken.append(SpokenSentence(name, sentence, phones))
            seconds += len(samples) / sample_rate_hz
        unpaired = _unpaired_text(sentences, len(rows), settings, section, seed)
    elapsed = time.monotonic() - started
    log.info("spoke %.2f h in %.0f s (%.0f x real time)", seconds / 3600, elapsed, seconds / elapsed)
    return Corpus(section, rows, unpaired, References(section, make_references(spoken)))


def int16_samples(samples: np.ndarray) -> np.ndarray:
    """Round samples (T,) on the scale of int16 to int16; larger values are clipped."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def _shuffled(translation: str, settings: SpokenSettings, seed: int) -> list[str]:
    sentences = clauses(translation, settings.min_words, settings.max_words)
    random.Random(seed).shuffle(sentences)
    return sentences


_Synthesised = tuple[str, np.ndarray, TimedPhones]  # sentence, samples, phones


def _assigned(
    stream: Iterator[_Synthesised], settings: SpokenSettings, section: str, sample_rate_hz: int
) -> Iterator[tuple[str, str, str, np.ndarray, TimedPhones]]:
    """Yield (split, utterance name, *synthesised sentence): train until it is long enough, then valid, then test."""
    left = settings.train_hours * 3600
    counts = {"valid": settings.valid_utterances, "test": settings.test_utterances}
    with tqdm(total=round(left), desc="train", unit="s", disable=None) as progress:
        number = 0
        while left > 0:
            synthesised = _next(stream, settings, section)
            number += 1
            left -= len(synthesised[1]) / sample_rate_hz
            progress.update(len(synthesised[1]) / sample_rate_hz)
            yield "train", f"train-{number:05d}", *synthesised
    for split, count in counts.items():
        for number in range(1, count + 1):
            yield split, f"{split}-{number:05d}", *_next(stream, settings, section)


def _next(stream: Iterator[_Synthesised], settings: SpokenSettings, section: str) -> _Synthesised:
    synthesised = next(stream, None)
    if synthesised is None:
        raise UserError(
            f"{section}.train_hours: the translation {settings.translation} has too few clauses of "
            f"{settings.min_words} to {settings.max_words} words for {settings.train_hours:g} h of training audio and "
            "the valid and test utterances. Lower train_hours, or widen min_words and max_words."
        )
    return synthesised


def speak_all(
    sentences: Sequence[Item], speak: Callable[[Sequence[Item]], list[Spoken]], threads: int
) -> Generator[tuple[Item, np.ndarray, TimedPhones], None, None]:
    """Speak sentences in processes and yield them in order; only a few batches are spoken ahead."""
    waiting: deque[tuple[Sequence[Item], Future[list[Spoken]]]] = deque()
    context = multiprocessing.get_context("fork")  # other methods would import the calling script once more
    with ProcessPoolExecutor(max_workers=max(1, threads), mp_context=context) as pool:
        try:
            for start in range(0, len(sentences), BATCH):
                batch = sentences[start : start + BATCH]
                waiting.append((batch, pool.submit(speak, batch)))
                if len(waiting) > 2 * max(1, threads):
                    yield from _first_result(waiting)
            while waiting:
                yield from _first_result(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


def _first_result(
    waiting: deque[tuple[Sequence[Item], Future[list[Spoken]]]],
) -> Iterator[tuple[Item, np.ndarray, TimedPhones]]:
    batch, result = waiting.popleft()
    for sentence, (samples, phones) in zip(batch, result.result(), strict=True):
        yield sentence, samples, phones


def _unpaired_text(
    sentences: Sequence[str], spoken: int, settings: SpokenSettings, section: str, seed: int
) -> list[str]:
    """Clauses of the text's translation that are not among the first `spoken` of `sentences`, ignoring case."""
    spoken_ones = {sentence.lower() for sentence in sentences[:spoken]}
    same = settings.text_translation == settings.translation
    candidates = sentences[spoken:] if same else _shuffled(settings.text_translation, settings, seed)
    unpaired = [sentence for sentence in candidates if sentence.lower() not in spoken_ones][: settings.text_sentences]
    if len(unpaired) < settings.text_sentences:
        raise UserError(
            f"{section}.text_sentences: only {len(unpaired)} of {settings.text_sentences} sentences of "
            f"{settings.text_translation} are left beside the spoken ones. Lower text_sentences or train_hours, or "
            "set text_translation to another translation."
        )
    return unpaired
