"""Decode long recordings block by block, in memory that does not grow with them.

Dimensions: T samples per channel, C channels.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from unscribed.artifacts import Pathlike
from unscribed.audio import io

BLOCK_SECONDS = 20.0  # decoded at once; FFmpeg gives shorter blocks of its own


def stream(path: Pathlike, sample_rate_hz: int) -> Iterator[np.ndarray]:
    """Decode a file to blocks of mono float32 samples (T,) at the wanted rate, as `io.load_mono` does all at once.

    Raises UserError if the file is missing, unreadable or damaged; one without samples gives no block.
    """
    path = Path(path)
    io.require_file(path)
    resampler, own_rate = None, None
    for samples, rate in _raw_blocks(path):
        mono = np.ascontiguousarray(samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1))
        if rate != sample_rate_hz and resampler is None:
            own_rate, resampler = rate, soxr.ResampleStream(rate, sample_rate_hz, 1, dtype="float32")
        yield mono if resampler is None else resampler.resample_chunk(mono)
        if own_rate not in (None, rate):
            raise io.damaged(path, f"its sampling rate changes from {own_rate} to {rate} Hz")
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def seconds_of(path: Pathlike) -> float | None:
    """Return the length of a file as its header has it; None if it has none, or if the file cannot be read."""
    try:
        return soundfile.info(str(path)).duration
    except soundfile.LibsndfileError:
        return io.libav_seconds(Path(path))


def _raw_blocks(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of float32 samples (T, C) with their rate in Hz, as the file has them."""
    if path.suffix.lower() in io.LIBAV_SUFFIXES:
        yield from io.libav_blocks(path)
        return
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        # WAV and OGG are containers: libsndfile may lack the codec inside, FFmpeg rarely does.
        yield from io.libav_blocks(path, reason=error.error_string)
        return
    with file:
        io.require_whole_wav(path)
        try:
            for samples in file.blocks(round(BLOCK_SECONDS * file.samplerate), dtype="float32", always_2d=True):
                yield samples, file.samplerate
        except soundfile.LibsndfileError as error:
            raise io.damaged(path, error.error_string) from error
