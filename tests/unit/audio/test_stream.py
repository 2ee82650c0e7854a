from pathlib import Path

import numpy as np
import pytest
import soundfile

from unscribed.audio.io import load_mono
from unscribed.audio.stream import BLOCK_SECONDS, seconds_of, stream
from unscribed.errors import UserError


def noise(rate: int, seconds: float, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(rate * seconds), channels)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("a.wav", 16000, 1), ("a.wav", 44100, 2), ("a.flac", 8000, 1), ("a.mp3", 22050, 2), ("a.opus", 48000, 1)],
)
def test_blocks_are_what_is_decoded_at_once(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    """At any rate, over the edges of blocks."""
    form, subtype = {".opus": ("OGG", "OPUS")}.get(Path(name).suffix, (None, None))
    soundfile.write(tmp_path / name, noise(rate, 2.5 * BLOCK_SECONDS, channels), rate, format=form, subtype=subtype)
    blocks = list(stream(tmp_path / name, 16000))
    assert len(blocks) >= 3
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), load_mono(tmp_path / name, 16000), atol=1e-6)
    assert seconds_of(tmp_path / name) == pytest.approx(2.5 * BLOCK_SECONDS, abs=0.2)


def test_files_for_ffmpeg_come_in_blocks_too(tmp_path: Path) -> None:
    """A WAV file under the name of a format that libsndfile does not read."""
    soundfile.write(tmp_path / "a.wav", noise(16000, 3.0), 16000)
    (tmp_path / "a.wav").rename(tmp_path / "a.mka")
    blocks = list(stream(tmp_path / "a.mka", 8000))
    assert len(blocks) > 3
    np.testing.assert_allclose(np.concatenate(blocks), load_mono(tmp_path / "a.mka", 8000), atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"no audio at all, but long enough for a header" * 100])
def test_bad_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.wav is (empty|damaged)"):
        list(stream(path, 16000))
    with pytest.raises(UserError, match="does not exist"):
        list(stream(tmp_path / "none.wav", 16000))
    assert seconds_of(path) is None


def test_a_file_that_ends_too_early_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "half.flac"
    soundfile.write(path, noise(16000, 60.0)[:, 0], 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"half\.flac is damaged"):
        list(stream(path, 16000))
