import itertools

import numpy as np
import pytest

from unscribed.corpora.espeak import PAUSE, Synthesizer
from unscribed.errors import UserError

SENTENCE = "And God said let there be light"


def test_phones_are_unstressed_in_order_and_end_before_the_audio():
    with Synthesizer("en-us", 175, 16000) as synthesizer:
        samples, phones = synthesizer.speak(SENTENCE)
    starts = [start for start, _ in phones]
    assert samples.dtype == np.int16 and 1.0 < len(samples) / 16000 < 3.0
    assert starts == sorted(starts) and starts[0] == 0.0 and starts[-1] <= len(samples) / 16000
    names = [name for _, name in phones]
    assert names[-1] == PAUSE and [name for name in names if name][:6] == ["æ", "n", "d", "ɡ", "ɑː", "d"]
    assert not set("ˈˌ\ufffd") & set("".join(names))
    assert all(first != second or first for first, second in itertools.pairwise(names))  # pauses are merged


def test_starts_match_the_sound():
    """The vowel of "see" is louder than the hiss before it and the silence after the last phone."""
    with Synthesizer("en-us", 120, 16000) as synthesizer:
        samples, phones = synthesizer.speak("see")
    (s_start, s), (vowel_start, vowel), (end, _) = phones
    assert (s, vowel) == ("s", "iː")

    def level(start, stop):
        return np.sqrt(np.mean(samples[int(start * 16000) : int(stop * 16000)].astype(float) ** 2))

    assert level(vowel_start, end) > 2 * level(s_start, vowel_start) > 20 * level(end, len(samples) / 16000)


def test_same_sentences_in_the_same_order_give_the_same_samples():
    spoken = []
    for _ in range(2):
        with Synthesizer("en-us", 175, 16000) as synthesizer:
            spoken.append([synthesizer.speak(text)[0] for text in (SENTENCE, "hiss", SENTENCE)])
    for first, second in zip(*spoken, strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_voices_live_side_by_side():
    with Synthesizer("en-us", 175, 16000) as english, Synthesizer("de", 175, 8000) as german:
        english_phones = [name for _, name in english.speak("rot")[1] if name]
        samples, german_phones = german.speak("rot")
    assert english_phones == ["ɹ", "ɑː", "t"] and "oː" in [name for _, name in german_phones]
    assert len(samples) < 8000


@pytest.mark.parametrize(
    ("voice", "vowel"),
    [("en-gb", "ɒ"), ("en-gb+f3", "ɒ"), ("gmw/en", "ɒ"), ("fr-fr", "o"), ("en-us", "ɑː")],
)
def test_a_voice_is_named_by_its_language_code_too(voice, vowel):
    """The codes en-gb and fr-fr are neither the names nor the files of their voices."""
    with Synthesizer(voice, 175, 16000) as synthesizer:
        assert vowel in [name for _, name in synthesizer.speak("rot")[1]]


@pytest.mark.parametrize("code", ["en-us", "en-gb", "de", "fr-fr", "es"])
def test_the_message_about_an_unknown_voice_recommends_voices_that_work(code):
    with pytest.raises(UserError, match=rf"\b{code}\b"):
        Synthesizer("xx-nope", 175, 16000)
    Synthesizer(code, 175, 16000).close()


def test_unknown_voice_and_closed_synthesizer():
    with pytest.raises(UserError, match=r"corpus.espeak.voice: eSpeak NG has no voice 'xx-nope'"):
        Synthesizer("xx-nope", 175, 16000)
    synthesizer = Synthesizer("en-us", 175, 16000)
    synthesizer.close()
    with pytest.raises(RuntimeError, match="closed"):
        synthesizer.speak(SENTENCE)
