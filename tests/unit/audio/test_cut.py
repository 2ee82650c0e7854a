import numpy as np
import pytest

from unscribed.audio.cut import PAUSE_SECONDS, PIECE_SECONDS, WINDOW_SECONDS, Piece, pieces
from unscribed.audio.vad import SpeechFinder, VadSettings, speech

RATE = 8000
SETTINGS = VadSettings(method="energy", threshold_db=-40.0, min_silence_ms=200, margin_ms=30)


def sound(*seconds: float) -> np.ndarray:
    """Silence, noise, silence, … of the given lengths."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-0.5, 0.5, round(length * RATE)) * (place % 2) for place, length in enumerate(seconds)]
    return np.concatenate(parts).astype(np.float32)


def cut(samples: np.ndarray, block_seconds: float = 7.0, method: str = "energy") -> list[Piece]:
    blocks = np.split(samples, np.arange(round(block_seconds * RATE), len(samples), round(block_seconds * RATE)))
    return list(pieces(blocks, SpeechFinder(VadSettings(**{**vars(SETTINGS), "method": method}), RATE)))


def spans(found: list[Piece]) -> list[tuple[float, float]]:
    return [(round(piece.starts[0] / RATE, 1), round(piece.ends[-1] / RATE, 1)) for piece in found]


def test_a_short_recording_stays_whole_with_its_pauses_taken_out() -> None:
    """As the stage vad does it."""
    samples = sound(0.5, 2.0, 0.8, 1.0, 0.5)
    [piece] = cut(samples)
    starts, ends = SpeechFinder(SETTINGS, RATE)(samples)
    assert len(starts) == 2
    assert (piece.starts.tolist(), piece.ends.tolist()) == (starts.tolist(), ends.tolist())
    np.testing.assert_array_equal(piece.samples, speech(samples, starts, ends))


def test_long_pauses_divide_short_recordings_too() -> None:
    assert spans(cut(sound(0.5, 2.0, PAUSE_SECONDS + 0.5, 1.0, 0.5))) == [(0.5, 2.5), (4.0, 5.0)]


def test_too_much_speech_is_divided_at_the_longest_pauses() -> None:
    """Of 24 s, the longest pause is after 16 s; those 16 s are divided at the longer of their two pauses."""
    found = spans(cut(sound(0.5, 4.0, 0.3, 6.0, 0.4, 6.0, 0.9, 8.0, 0.5)))
    assert found == [(0.5, 10.8), (11.2, 17.2), (18.1, 26.1)]


def test_speech_without_a_pause_is_divided_where_it_is_quietest() -> None:
    samples = sound(0.0, 20.0)
    samples[9 * RATE : 9 * RATE + 200] *= 0.02  # 25 ms, too short to be a pause
    first, second = cut(samples)
    assert first.ends[0] == second.starts[0] and abs(first.ends[0] / RATE - 9.0) < 0.03
    assert len(cut(samples, method="none")) == 2


@pytest.mark.parametrize("block_seconds", [3.0, 20.0, 500.0])
def test_a_long_recording_loses_nothing_between_its_windows(block_seconds: float) -> None:
    """Wherever windows end, within speech or pauses, each sentence is a piece, and its edges are those of its sound."""
    rng = np.random.default_rng(1)
    lengths = [0.5]
    for _ in range(120):
        lengths += [round(rng.uniform(0.4, 5.0), 3), round(rng.uniform(1.2, 3.0), 3)]
    edges = np.cumsum(lengths)
    assert edges[-1] > 4 * WINDOW_SECONDS
    found = cut(sound(*lengths), block_seconds)
    assert len(found) == 120
    np.testing.assert_allclose([piece.starts[0] / RATE for piece in found], edges[:-1:2] - 0.03, atol=0.03)
    np.testing.assert_allclose([piece.ends[-1] / RATE for piece in found], edges[1::2] + 0.03, atol=0.03)


def test_memory_does_not_grow_with_silence_or_with_speech() -> None:
    """A finder is never asked for much more than a window."""
    asked = []

    class Finder(SpeechFinder):
        def __call__(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            asked.append(len(samples) / RATE)
            return super().__call__(samples)

    recording = [0.0, 1.0, 300.0, *[1.5, 0.9] * 150, 1.0, 0.0, 90.0]
    list(pieces(np.split(sound(*recording), range(5 * RATE, 700 * RATE, 5 * RATE)), Finder(SETTINGS, RATE)))
    assert max(asked) <= WINDOW_SECONDS + 5.0 and len(asked) < 12


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, dtype=np.float32)], [np.zeros(5 * RATE, dtype=np.float32)]])
def test_nothing_in_nothing(blocks: list[np.ndarray]) -> None:
    assert list(pieces(blocks, SpeechFinder(SETTINGS, RATE))) == []


def test_pieces_are_short_enough() -> None:
    found = cut(sound(0.0, 100.0, 0.3, 50.0))
    assert max(len(piece.samples) for piece in found) <= PIECE_SECONDS * RATE
    assert sum(len(piece.samples) for piece in found) / RATE == pytest.approx(150.0, abs=0.2)
