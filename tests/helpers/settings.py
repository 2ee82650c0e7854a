"""Settings that tests of several rooms share. A test names only the parameters that it is about."""

from typing import Any

from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.evaluation.metrics import EvaluateSettings
from unscribed.matching.phone_text import MatchSettings

EVALUATE = EvaluateSettings(tolerance_ms=20.0)


def decode_settings(**changes: float) -> DecodeSettings:
    """Scores as the model gives them, no penalty, and a beam that loses nothing."""
    plain = {"acoustic_scale": 1.0, "lm_weight": 1.0, "prior_weight": 0.0, "insertion_penalty": 0.0, "beam": 20.0}
    return DecodeSettings(**{**plain, **changes})


def match_settings(**changes: Any) -> MatchSettings:
    """One step of one restart: enough where only the discrepancy is measured."""
    plain = {"clusters": [4], "restarts": 1, "steps": 1, "warm_restarts": 1, "warm_steps": 1, "learning_rate": 0.1}
    plain |= {"skips": 2, "positions": 2, "segments_per_phone": None}
    return MatchSettings(**{**plain, **changes})
