"""Decode audio files: with libsndfile where it can, else with FFmpeg's libraries (PyAV).

Dimensions: T samples per channel, C channels.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
import soxr

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError

# Files with these suffixes are tried with libsndfile first; those of LIBAV_SUFFIXES go to FFmpeg at once.
SNDFILE_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64", ".sph"}
)
LIBAV_SUFFIXES = frozenset({".m4a", ".mp4", ".aac", ".g722", ".webm", ".mka", ".mkv", ".wma", ".amr", ".3gp"})
AUDIO_SUFFIXES = SNDFILE_SUFFIXES | LIBAV_SUFFIXES  # other files in a folder of audio are not taken for recordings
HEADERLESS = {".g722": "g722"}  # suffix to FFmpeg's name of a format that cannot be recognised from its content
RIFF_SLACK = 64  # bytes that a WAV file may lack of the size in its header: some writers miscount by a few
STREAMED = 0x7FFF0000  # sizes from here on are placeholders of programs that write to a pipe


def load_mono(path: Pathlike, sample_rate_hz: int) -> np.ndarray:
    """Decode a file to mono float32 samples, (T,), at the wanted rate; channels are averaged.

    Full scale is ±1 (lossy codecs and resampling may exceed it slightly). Raises UserError as `decode` does.
    """
    samples, rate = decode(path)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return resample(mono, rate, sample_rate_hz)


def resample(samples: np.ndarray, rate: int, wanted_rate: int) -> np.ndarray:
    """Resample float32 samples (T,) from `rate` to `wanted_rate` (Hz), with libsoxr's high quality."""
    if rate == wanted_rate:
        return np.ascontiguousarray(samples, dtype=np.float32)
    return soxr.resample(np.ascontiguousarray(samples, dtype=np.float32), rate, wanted_rate)


def decode(path: Pathlike) -> tuple[np.ndarray, int]:
    """Decode a whole file: float32 samples (T, C) with full scale ±1, and the sampling rate in Hz.

    Raises UserError if the file is missing, unreadable, damaged or holds no samples.
    """
    path = Path(path)
    require_file(path)
    if path.suffix.lower() in LIBAV_SUFFIXES:
        samples, rate = _decode_libav(path)
    else:
        try:
            samples, rate = _decode_sndfile(path)
        except soundfile.LibsndfileError as error:
            # WAV and OGG are containers: libsndfile may lack the codec inside, FFmpeg rarely does.
            samples, rate = _decode_libav(path, reason=error.error_string)
    if not len(samples):
        raise UserError(f"{path} holds no samples. Replace the file or take it out of the corpus.")
    return samples, rate


def require_file(path: Path) -> None:
    """Raise UserError if there is no file at `path`, or if it is empty or cannot be looked at."""
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check the permissions of its folder.") from error
    if size is None:
        raise UserError(f"{path} does not exist or is not a file. Check the path in the configuration or the corpus.")
    if size == 0:
        raise UserError(f"{path} is empty (0 bytes). Copy it again or take it out of the corpus.")


def _decode_sndfile(path: Path) -> tuple[np.ndarray, int]:
    with soundfile.SoundFile(path) as file:
        # Reading integers and scaling them below is eight times as fast as libsndfile's conversion to floats.
        integers = file.subtype == "PCM_16"
        samples = file.read(dtype="int16" if integers else "float32", always_2d=True)
        rate = file.samplerate
    require_whole_wav(path)
    return (samples * np.float32(1 / 32768) if integers else samples), rate


def require_whole_wav(path: Path) -> None:
    """Raise UserError if a WAV file is smaller than its header says: libsndfile reads a half copy without complaint."""
    with open(path, "rb") as file:
        header = file.read(8)
    declared = 8 + int.from_bytes(header[4:], "little")
    if header[:4] == b"RIFF" and path.stat().st_size + RIFF_SLACK < declared < STREAMED:
        raise damaged(path, f"{path.stat().st_size} bytes, its header says {declared}")


def _decode_libav(path: Path, reason: str = "") -> tuple[np.ndarray, int]:
    """Decode with FFmpeg; `reason` is libsndfile's error message, for the user if FFmpeg fails as well."""
    blocks = list(libav_blocks(path, reason))
    if not blocks:
        return np.zeros((0, 1), dtype=np.float32), 0
    return np.concatenate([samples for samples, _ in blocks]), blocks[0][1]


def libav_blocks(path: Path, reason: str = "") -> Iterator[tuple[np.ndarray, int]]:
    """Decode with FFmpeg, frame by frame: float32 samples (T, C) and the sampling rate in Hz.

    `reason` is an earlier error message, for the user if FFmpeg fails as well. Raises UserError as `decode` does.
    """
    import av  # here: FFmpeg takes 0.1 s and 100 MB of disk, and libsndfile reads most files without it

    found = False
    try:
        with av.open(str(path), format=HEADERLESS.get(path.suffix.lower()), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise UserError(f"{path} has no audio stream. Take it out of the corpus.")
            stream = container.streams.audio[0]
            converter = av.AudioResampler(format="fltp")  # only the sample format: rate and channels stay
            for frame in chain(container.decode(stream), [None]):
                for block in converter.resample(frame) if found or frame is not None else ():
                    found = True
                    yield np.ascontiguousarray(block.to_ndarray().T), stream.rate
    except PermissionError as error:
        raise UserError(f"{path} cannot be read: permission denied. Make it readable with `chmod +r`.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise damaged(path, reason or getattr(error, "strerror", None) or str(error)) from error
    if not found and reason:  # FFmpeg mistakes almost any file for some format
        raise damaged(path, reason)


def libav_seconds(path: Path) -> float | None:
    """Return the length of a file as FFmpeg finds it in the header; None if it does not."""
    import av  # see libav_blocks

    try:
        with av.open(str(path), format=HEADERLESS.get(path.suffix.lower()), metadata_errors="ignore") as container:
            return container.duration / av.time_base if container.duration else None
    except (av.error.FFmpegError, OSError, ValueError):
        return None


def damaged(path: Path, reason: str) -> UserError:
    """Return the error for a file that cannot be decoded."""
    return UserError(
        f"{path} is damaged or not audio ({reason.rstrip('.')}). Copy it again, convert it with "
        "`ffmpeg -i FILE NEW.wav`, or take it out of the corpus."
    )
