"""Log-mel spectrogram for the eye; the features of the recogniser are made elsewhere."""

import numpy as np
from scipy.signal import stft

MEL_BANDS = 80
WINDOW_SECONDS, HOP_SECONDS = 0.025, 0.005


def log_mel(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Power in dB of `samples` (mono, at least 2), (MEL_BANDS, frames): triangular filters, evenly spaced in mel."""
    window = min(round(WINDOW_SECONDS * sample_rate_hz), len(samples))
    hop = max(1, min(round(HOP_SECONDS * sample_rate_hz), window - 1))
    points = 4 * window  # zero-padded, because the lowest filters are narrower than a bin of the window
    frequencies, _, spectrum = stft(samples, sample_rate_hz, nperseg=window, noverlap=window - hop, nfft=points)
    edges = mel_to_hertz(np.linspace(0, hertz_to_mel(sample_rate_hz / 2), MEL_BANDS + 2))
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    filters = np.clip(np.minimum(rising, falling), 0, None)
    return 10 * np.log10(filters @ np.abs(spectrum) ** 2 + 1e-12)


def hertz_to_mel(hertz: float) -> float:
    """The mel scale in its usual logarithmic form."""
    return float(2595 * np.log10(1 + hertz / 700))


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Inverse of `hertz_to_mel`."""
    return 700 * (10 ** (mel / 2595) - 1)
