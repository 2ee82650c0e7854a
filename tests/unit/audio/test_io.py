import av
import numpy as np
import pytest
import soundfile

from unscribed.audio.io import AUDIO_SUFFIXES, decode, load_mono
from unscribed.errors import UserError

SECONDS = 1.0


def tone(rate, channels=1, frequency=440.0):
    """A sine at half scale, (T, C); every channel one octave above the one before."""
    time = np.arange(round(rate * SECONDS)) / rate
    waves = [0.5 * np.sin(2 * np.pi * frequency * 2**channel * time) for channel in range(channels)]
    return np.stack(waves, axis=1).astype(np.float32)


def encode_libav(path, samples, rate, codec, container=None):
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono" if samples.shape[1] == 1 else "stereo")
        stream.bit_rate = 64000
        data = np.ascontiguousarray((samples * 32767).astype(np.int16).reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=stream.layout.name)
        frame.rate = rate
        converter = av.AudioResampler(format=stream.format.name, layout=stream.layout.name, rate=rate, frame_size=1024)
        for block in [*converter.resample(frame), *converter.resample(None)]:
            output.mux(stream.encode(block))
        output.mux(stream.encode(None))


def peak_hz(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


@pytest.mark.parametrize(("suffix", "subtype"), [(".wav", "PCM_16"), (".wav", "FLOAT"), (".flac", "PCM_16")])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_formats_keep_every_sample(tmp_path, suffix, subtype, channels):
    path = tmp_path / f"a{suffix}"
    samples = tone(22050, channels)
    soundfile.write(path, samples, 22050, subtype=subtype)
    decoded, rate = decode(path)
    assert rate == 22050 and decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, samples, atol=1 / 32768)


@pytest.mark.parametrize("suffix", [".ogg", ".opus", ".mp3", ".m4a", ".g722"])
def test_lossy_formats_keep_length_pitch_and_level(tmp_path, suffix):
    path, rate = tmp_path / f"A{suffix.upper()}", 16000
    if suffix == ".m4a":
        encode_libav(path, tone(rate), rate, "aac", "mp4")
    elif suffix == ".g722":
        encode_libav(path, tone(rate), rate, "g722", "g722")
    else:
        form, subtype = {".ogg": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"), ".mp3": ("MP3", None)}[suffix]
        soundfile.write(path, tone(rate), rate, format=form, subtype=subtype)
    mono = load_mono(path, rate)
    assert abs(len(mono) / rate - SECONDS) < 0.15  # codecs pad to whole blocks
    assert abs(peak_hz(mono, rate) - 440) < 5
    assert np.sqrt(np.mean(mono[4000:12000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
    assert decode(path)[0].shape == (len(mono), 1)


def test_stereo_m4a_has_both_channels_and_mono_is_their_mean(tmp_path):
    path = tmp_path / "a.m4a"
    encode_libav(path, tone(44100, 2), 44100, "aac")
    samples, rate = decode(path)
    assert (rate, samples.shape[1]) == (44100, 2)
    assert [round(peak_hz(samples[:, channel], rate), -1) for channel in (0, 1)] == [440, 880]
    np.testing.assert_allclose(load_mono(path, rate), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_resampling_keeps_duration_and_pitch(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(rate), rate)
    mono = load_mono(path, 16000)
    assert mono.dtype == np.float32 and mono.ndim == 1
    assert abs(len(mono) - 16000) <= 1
    assert abs(peak_hz(mono, 16000) - 440) < 2


def test_wav_with_a_codec_that_libsndfile_lacks_is_read_by_ffmpeg(tmp_path):
    path = tmp_path / "a.wav"
    encode_libav(path, tone(16000), 16000, "wmav2", "wav")
    assert abs(peak_hz(load_mono(path, 16000), 16000) - 440) < 5


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".m4a"])
def test_noise_instead_of_audio_is_a_user_error(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes())
    with pytest.raises(UserError, match=rf"broken{suffix} is damaged or not audio .*ffmpeg"):
        decode(path)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_half_copied_file_is_a_user_error(tmp_path, suffix):
    path = tmp_path / f"half{suffix}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 32000), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=f"half{suffix} is damaged"):
        decode(path)


def test_missing_empty_and_soundless_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match=r"no.wav does not exist"):
        decode(tmp_path / "no.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(UserError, match=r"empty.wav is empty \(0 bytes\)"):
        decode(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "short.wav", np.zeros(0), 16000)
    with pytest.raises(UserError, match=r"short.wav holds no samples"):
        decode(tmp_path / "short.wav")


def test_suffixes_are_lower_case_and_cover_both_libraries():
    assert {".wav", ".flac", ".mp3", ".opus", ".m4a", ".g722"} <= AUDIO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in AUDIO_SUFFIXES)
