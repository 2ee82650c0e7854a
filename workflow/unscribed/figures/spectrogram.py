"""Log-mel spectrogram for figures only; the recogniser's features are computed in `unscribed.audio.features`."""

import numpy as np
from scipy.signal import stft

MEL_BANDS = 80
WINDOW_SECONDS, HOP_SECONDS = 0.025, 0.005


def log_mel(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Compute the power in dB of `samples` (mono, at least 2) in triangular mel filters, (MEL_BANDS, frames)."""
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
    """Convert to mel by the usual formula, 2595 log10(1 + f / 700)."""
    return float(2595 * np.log10(1 + hertz / 700))


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Convert back: the inverse of `hertz_to_mel`."""
    return 700 * (10 ** (mel / 2595) - 1)
