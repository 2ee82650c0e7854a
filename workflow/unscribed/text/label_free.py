"""Choose among runs and checkpoints without labels (wav2vec-U, Baevski et al. 2021, section 3.3).

What the paper leaves open is decided as follows.

The negative log-likelihood (NLL) is taken over all sentences together, per phone and sentence end, as in fairseq's
code: the logarithm of a perplexity, which the paper's footnote 3 names as its practice (its formula averages over
sentences, and has no value for one without phones). The silences of a hypothesis are removed, those at the ends of the
model's text put in their place: they belong to the sentence end and are not counted, or short output would look fluent.
A sentence without phones is a sentence end right after its start.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unscribed.errors import UserError
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.silence import SILENCE, SilenceSettings, as_sentence, strip_silence

SLACK = 1.2  # how much worse than the best, as a factor of perplexity over usage (equation 5)
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Score:
    """What is known of one candidate's phones; logarithms are natural.

    `log_prob` is the sum over all sentences and `tokens` the number of phones without silence; `nll` is -log_prob /
    (tokens + sentences), `lm_perplexity` its exponential. `usage` is the share of the phones, silence aside, that
    occur. `weighted_perplexity` is fairseq's criterion for checkpoints (lowest is best): lm_perplexity over the
    square of the share of all symbols that occur, where silence is a symbol but never occurs.
    """

    log_prob: float
    tokens: int
    sentences: int
    nll: float
    usage: float
    lm_perplexity: float
    weighted_perplexity: float


def score(hypotheses: Sequence[Sequence[str]], arpa: Arpa, inventory: list[str], silence: SilenceSettings) -> Score:
    """Score the phones of one candidate, one sequence per utterance, by a phone language model.

    `inventory` holds all symbols with `<SIL>`; `silence` is how the model's text was made. Without any phone, `usage`
    is 0, `log_prob` -inf, and NLL and perplexities are infinite. Raises UserError if the hypotheses hold phones that
    the inventory or the model lacks.
    """
    spoken = [strip_silence(found) for found in hypotheses]
    tokens, seen = sum(map(len, spoken)), set().union(*spoken)
    if not tokens:
        return Score(-math.inf, 0, len(spoken), math.inf, 0.0, math.inf, math.inf)
    if missing := sorted(phone for phone in seen if phone not in inventory or (phone,) not in arpa.log_probs):
        raise UserError(
            f"the candidate has {len(missing)} phone(s), for example {', '.join(missing[:MAX_EXAMPLES])}, that the "
            "phone inventory or the phone language model lacks: they come from different texts. Run the stage "
            "phone_lm and the training of the candidates again."
        )
    quality = perplexity(arpa, (" ".join(as_sentence(found, silence)) for found in spoken))
    log_prob = -math.log(quality["perplexity"]) * quality["held_out_tokens"]
    nll = -log_prob / (tokens + len(spoken))
    usage = len(seen) / sum(symbol != SILENCE for symbol in inventory)
    surprise = math.exp(nll)
    return Score(log_prob, tokens, len(spoken), nll, usage, surprise, surprise / (len(seen) / len(inventory)) ** 2)


def choose(scores: Sequence[Score], slack: float = SLACK) -> int:
    """Place of the best candidate in `scores`, which are all of the same utterances; the first of equals.

    The anchor has the lowest NLL - log usage. It stays, and all whose value is less than log `slack` above (equation 5
    with both usages on the left); of these the highest `log_prob`, not divided by the length, wins. Candidates without
    phones never do: raises UserError if there are no others.
    """
    adjusted = {place: one.nll - math.log(one.usage) for place, one in enumerate(scores) if one.tokens}
    if not adjusted:
        raise UserError(
            f"all {len(scores)} candidates put out silence alone: their training collapsed. Try more seeds, a warm "
            "start from the phones of the matching, or other weights of the penalties."
        )
    anchor = min(adjusted, key=lambda place: adjusted[place])
    limit = adjusted[anchor] + math.log(slack)
    kept = [place for place, value in adjusted.items() if place == anchor or value < limit]
    return max(kept, key=lambda place: scores[place].log_prob)
