"""A corpus spoken by eSpeak NG: exact phone times, no downloads, and text that is never spoken."""

import logging
import multiprocessing
import random
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from unscribed.artifacts import Pathlike, atomic_folder, write_lines
from unscribed.corpora.bible import clauses
from unscribed.corpora.espeak import PAUSE, Synthesizer
from unscribed.corpora.layout import SPLITS, Recording, Reference, write_recordings, write_references
from unscribed.corpora.transcripts import spoken_words
from unscribed.errors import UserError
from unscribed.text.silence import SILENCE

BATCH = 32  # sentences that one fresh synthesiser speaks: fixed, because it decides the exact samples

log = logging.getLogger(__name__)
Spoken = tuple[str, np.ndarray, list[tuple[float, str]]]  # sentence, int16 samples (T,), phones with starts in seconds


@dataclass(frozen=True)
class EspeakSettings:
    """Section `corpus.espeak` of the config."""

    voice: str
    rate_wpm: int
    translation: str
    text_translation: str
    train_hours: float
    valid_utterances: int
    test_utterances: int
    text_sentences: int
    min_words: int
    max_words: int


def espeak_corpus(
    *,
    settings: EspeakSettings,
    seed: int,
    sample_rate_hz: int,
    threads: int,
    recordings: Pathlike,
    text: Pathlike,
    audio: Pathlike,
    references_train: Pathlike,
    references_valid: Pathlike,
    references_test: Pathlike,
) -> None:
    """Speak Bible clauses into the folder `audio` (16-bit WAV); other clauses become the unpaired text.

    Clauses are shuffled by `seed` and spoken until `train_hours` are full, then for valid and test. The result does
    not depend on `threads` (processes). Raises UserError if the translations are unknown, not installed or too short.
    """
    if settings.min_words > settings.max_words:
        raise UserError("corpus.espeak.min_words is above corpus.espeak.max_words: set the lower one below the upper.")
    sentences = _shuffled(settings.translation, settings, seed)
    with Synthesizer(settings.voice, settings.rate_wpm, sample_rate_hz):
        pass  # an unknown voice must fail here, not inside a worker process
    rows: list[Recording] = []
    references: dict[str, list[Reference]] = {split: [] for split in SPLITS}
    started, seconds = time.monotonic(), 0.0
    with atomic_folder(audio) as folder, closing(_speak_all(sentences, settings, sample_rate_hz, threads)) as stream:
        for split, name, (sentence, samples, phones) in _assigned(stream, settings, sample_rate_hz):
            soundfile.write(folder / f"{name}.wav", samples, sample_rate_hz, subtype="PCM_16")
            rows.append(Recording(name, split, str(Path(audio) / f"{name}.wav")))
            references[split].append(_reference(name, sentence, phones))
            seconds += len(samples) / sample_rate_hz
        unpaired = _unpaired_text(sentences, len(rows), settings, seed)
    elapsed = time.monotonic() - started
    log.info("spoke %.2f h in %.0f s (%.0f x real time)", seconds / 3600, elapsed, seconds / elapsed)
    write_lines(text, unpaired)
    outputs = (references_train, references_valid, references_test)
    for split, path in zip(SPLITS, outputs, strict=True):
        write_references(path, references[split])
    write_recordings(recordings, rows, "corpus.espeak")


def _shuffled(translation: str, settings: EspeakSettings, seed: int) -> list[str]:
    sentences = clauses(translation, settings.min_words, settings.max_words)
    random.Random(seed).shuffle(sentences)
    return sentences


def _assigned(
    stream: Iterator[Spoken], settings: EspeakSettings, sample_rate_hz: int
) -> Iterator[tuple[str, str, Spoken]]:
    """Yield (split, utterance name, spoken sentence): train until it is long enough, then valid, then test."""
    left = settings.train_hours * 3600
    counts = {"valid": settings.valid_utterances, "test": settings.test_utterances}
    with tqdm(total=round(left), desc="train", unit="s", disable=None) as progress:
        number = 0
        while left > 0:
            spoken = _next(stream, settings)
            number += 1
            left -= len(spoken[1]) / sample_rate_hz
            progress.update(len(spoken[1]) / sample_rate_hz)
            yield "train", f"train-{number:05d}", spoken
    for split, count in counts.items():
        for number in range(1, count + 1):
            yield split, f"{split}-{number:05d}", _next(stream, settings)


def _next(stream: Iterator[Spoken], settings: EspeakSettings) -> Spoken:
    spoken = next(stream, None)
    if spoken is None:
        raise UserError(
            f"corpus.espeak.train_hours: the translation {settings.translation} has too few clauses of "
            f"{settings.min_words} to {settings.max_words} words for {settings.train_hours:g} h of training audio and "
            "the valid and test utterances. Lower train_hours, or widen min_words and max_words."
        )
    return spoken


def _speak_all(
    sentences: Sequence[str], settings: EspeakSettings, sample_rate_hz: int, threads: int
) -> Generator[Spoken, None, None]:
    """Speak sentences in processes, yielding them in order; only a few batches are spoken ahead."""
    waiting: deque[Future[list[Spoken]]] = deque()
    context = multiprocessing.get_context("fork")  # others would import the script that calls this as a module
    with ProcessPoolExecutor(max_workers=max(1, threads), mp_context=context) as pool:
        try:
            for start in range(0, len(sentences), BATCH):
                batch = sentences[start : start + BATCH]
                waiting.append(pool.submit(_speak_batch, batch, settings.voice, settings.rate_wpm, sample_rate_hz))
                if len(waiting) > 2 * max(1, threads):
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _speak_batch(batch: Sequence[str], voice: str, rate_wpm: int, sample_rate_hz: int) -> list[Spoken]:
    with Synthesizer(voice, rate_wpm, sample_rate_hz) as synthesizer:
        return [(sentence, *synthesizer.speak(sentence)) for sentence in batch]


def _reference(name: str, sentence: str, phones: list[tuple[float, str]]) -> Reference:
    """Pauses at the ends are left out, those inside become SILENCE."""
    words = " ".join(spoken_words(sentence))
    spoken = [index for index, (_, phone) in enumerate(phones) if phone != PAUSE]
    if not spoken:
        return Reference(name, words)
    inner = phones[spoken[0] : spoken[-1] + 1]
    after = phones[spoken[-1] + 1 :]
    return Reference(
        name,
        words,
        [SILENCE if phone == PAUSE else phone for _, phone in inner],
        [start for start, _ in inner],
        after[0][0] if after else float("nan"),
    )


def _unpaired_text(sentences: Sequence[str], spoken: int, settings: EspeakSettings, seed: int) -> list[str]:
    """Clauses of the text's translation, none of which is spoken (upper and lower case being the same)."""
    heard = {sentence.lower() for sentence in sentences[:spoken]}
    same = settings.text_translation == settings.translation
    candidates = sentences[spoken:] if same else _shuffled(settings.text_translation, settings, seed)
    unpaired = [sentence for sentence in candidates if sentence.lower() not in heard][: settings.text_sentences]
    if len(unpaired) < settings.text_sentences:
        raise UserError(
            f"corpus.espeak.text_sentences: only {len(unpaired)} of {settings.text_sentences} sentences of "
            f"{settings.text_translation} are left beside the spoken ones. Lower text_sentences or train_hours, or "
            "set text_translation to another translation."
        )
    return unpaired
