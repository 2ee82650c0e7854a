"""Label-free checks of a run during its training: its scores, and whether it has diverged or collapsed.

A run has **diverged** if a loss is not finite, and **collapsed** if it uses few phones or decodes most utterances to
the same phones. Both are logged; a diverged run ends at once, a collapsed one after PATIENCE checks.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unscribed.text.arpa import Arpa
from unscribed.text.label_free import Score, score
from unscribed.text.silence import SilenceSettings, strip_silence

COLLAPSED_USAGE = 0.15  # smallest share of the inventory in use; runs that learned anything used more than half
COLLAPSED_REPEATS = 0.5  # largest share of the utterances with the same hypothesis
PATIENCE = 2  # consecutive checks that must find a run collapsed before it ends


@dataclass(frozen=True)
class LabelFreeScorer:
    """Scores hypotheses with the phone language model `arpa`; `silence` is that of the text it was estimated from."""

    arpa: Arpa
    inventory: list[str]
    silence: SilenceSettings

    def score(self, hypotheses: Sequence[Sequence[str]]) -> Score:
        """Compute the label-free scores of hypotheses (phones with silence)."""
        return score(hypotheses, self.arpa, self.inventory, self.silence)


def verdict(losses: Mapping[str, float], hypotheses: Sequence[Sequence[str]], usage: float) -> str:
    """Return `ok`, or `diverged: …` or `collapsed: …` with the reason.

    `losses` are those of the last updates, `usage` the share of the inventory that occurs in `hypotheses`.
    """
    if bad := [name for name, value in losses.items() if not math.isfinite(value)]:
        return f"diverged: {', '.join(bad)} is not a finite number"
    if usage < COLLAPSED_USAGE:
        return f"collapsed: only {usage:.0%} of the phones are used"
    commonest = max(Counter(tuple(strip_silence(found)) for found in hypotheses).values(), default=0)
    if commonest > max(1.0, COLLAPSED_REPEATS * len(hypotheses)):
        return f"collapsed: the same phones for {commonest} of {len(hypotheses)} utterances"
    return "ok"
