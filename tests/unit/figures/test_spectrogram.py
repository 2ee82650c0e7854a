import numpy as np

from unscribed.figures import spectrogram


def test_spectrogram_shows_a_tone_at_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    band = spectrogram.log_mel(tone, 16000).mean(axis=1).argmax()
    expected = spectrogram.hertz_to_mel(1000) / spectrogram.hertz_to_mel(8000) * spectrogram.MEL_BANDS
    assert abs(band + 0.5 - expected) <= 1
    assert spectrogram.log_mel(np.zeros(2), 16000).shape[0] == spectrogram.MEL_BANDS
