import hashlib

import numpy as np

from unscribed.corpora.espeak import Synthesizer
from unscribed.corpora.voices import draw_voice, variants


def spoken(variant: str) -> str:
    with Synthesizer(f"en-us+{variant}", 170, 16000) as synthesizer:
        samples, phones = synthesizer.speak("she gave them bread")
    assert len(phones) > 10 and np.abs(samples).max() > 500
    return hashlib.sha256(samples.tobytes()).hexdigest()


def test_every_variant_speaks_and_says_a_sentence_in_the_same_way_each_time() -> None:
    assert len(variants()) > 60 and not {"whisper", "robosoft", "f2", "caleb"} & set(variants())
    first = {variant: spoken(variant) for variant in variants()}
    assert first == {variant: spoken(variant) for variant in variants()}
    assert len(set(first.values())) > 60  # hardly any sounds like another


def test_a_voice_lies_within_its_ranges_and_comes_from_the_generator() -> None:
    def draws(seed: int) -> list:
        generator = np.random.default_rng(seed)
        return [draw_voice("de", [150, 151], [20, 80], [30, 30], generator) for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)
    assert {voice.rate_wpm for voice in draws(1)} == {150, 151} and {voice.pitch_range for voice in draws(1)} == {30}
    assert all(20 <= voice.pitch <= 80 and voice.name.startswith("de+") for voice in draws(1))
    assert len({voice.name for voice in draws(1)}) > 20
