"""Checks of a run during its training, without labels: its scores, and whether it is lost.

A run has **diverged** when a loss is not a number, and **collapsed** when it says the same of different audio or uses
only a few phones. Either is logged and ends the run early.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unscribed.text.arpa import Arpa
from unscribed.text.label_free import Score, score
from unscribed.text.silence import SilenceSettings, strip_silence

COLLAPSED_USAGE = 0.15  # least share of the inventory in use; every run that learned anything used more than half
COLLAPSED_REPEATS = 0.5  # largest share of the utterances with one and the same hypothesis
PATIENCE = 2  # checks in a row that must find a run collapsed before it ends


@dataclass(frozen=True)
class LabelFreeScorer:
    """Scores a run's hypotheses by the phone language model, which was made from text with this silence."""

    arpa: Arpa
    inventory: list[str]
    silence: SilenceSettings

    def score(self, hypotheses: Sequence[Sequence[str]]) -> Score:
        """The label-free scores of hypotheses (phones with silence)."""
        return score(hypotheses, self.arpa, self.inventory, self.silence)


def verdict(losses: Mapping[str, float], hypotheses: Sequence[Sequence[str]], usage: float) -> str:
    """`ok`, or `diverged: …` or `collapsed: …` with the reason.

    `losses` of the last updates, `hypotheses` of some utterances, `usage` the share of the phones that occur in them.
    """
    if bad := [name for name, value in losses.items() if not math.isfinite(value)]:
        return f"diverged: {', '.join(bad)} is not a finite number"
    if usage < COLLAPSED_USAGE:
        return f"collapsed: only {usage:.0%} of the phones are used"
    commonest = max(Counter(tuple(strip_silence(found)) for found in hypotheses).values(), default=0)
    if commonest > max(1.0, COLLAPSED_REPEATS * len(hypotheses)):
        return f"collapsed: the same phones for {commonest} of {len(hypotheses)} utterances"
    return "ok"
