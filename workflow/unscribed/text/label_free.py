"""Choose among runs and checkpoints without labels (wav2vec-U, Baevski et al. 2021, section 3.3).

Where the paper is not specific:

- The negative log-likelihood (NLL) is that of all sentences together, per phone and sentence end, as in fairseq's
  code: the logarithm of a perplexity, the practice according to the paper's footnote 3. (The paper's formula averages
  over sentences, and is undefined for one without phones.)
- The silences of a hypothesis are removed. If the text of the language model has silence at the ends of sentences, it
  is added there, but not counted as tokens: otherwise short hypotheses would look fluent.
- A sentence without phones is a sentence end right after the start.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unscribed.errors import UserError
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.silence import SILENCE, SilenceSettings, as_sentence, strip_silence

SLACK = 1.2  # candidates stay if perplexity / usage is below the best times this (equation 5); larger keeps more
MAX_EXAMPLES = 5  # phones named in an error message


@dataclass(frozen=True)
class Score:
    """The label-free scores of one candidate's phones; logarithms are natural.

    `log_prob` is the sum over all sentences, `tokens` the number of phones without silence, `nll` is -log_prob /
    (tokens + sentences), `lm_perplexity` its exponential. `usage` is the share of the inventory, without silence, that
    occurs. `weighted_perplexity` is fairseq's criterion for checkpoints, lower is better: lm_perplexity / s², where s
    is the share of the inventory, with silence, that occurs; silence itself never counts as occurring.
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

    `inventory` holds all symbols with `<SIL>`; `silence` are the settings of the model's text. Without any phone,
    `usage` is 0, `log_prob` -inf, and NLL and perplexities are infinite. Raises UserError if the hypotheses contain
    phones that the inventory or the model lacks.
    """
    phones = [strip_silence(found) for found in hypotheses]
    tokens, seen = sum(map(len, phones)), set().union(*phones)
    if not tokens:
        return Score(-math.inf, 0, len(phones), math.inf, 0.0, math.inf, math.inf)
    if missing := sorted(phone for phone in seen if phone not in inventory or (phone,) not in arpa.log_probs):
        raise UserError(
            f"the candidate has {len(missing)} phone(s), for example {', '.join(missing[:MAX_EXAMPLES])}, that the "
            "phone inventory or the phone language model lacks: they come from different texts. Run the stage "
            "phone_lm and the training of the candidates again."
        )
    quality = perplexity(arpa, (" ".join(as_sentence(found, silence)) for found in phones))
    log_prob = -math.log(quality["perplexity"]) * quality["held_out_tokens"]
    nll = -log_prob / (tokens + len(phones))
    usage = len(seen) / sum(symbol != SILENCE for symbol in inventory)
    lm_perplexity = math.exp(nll)
    weighted = lm_perplexity / (len(seen) / len(inventory)) ** 2
    return Score(log_prob, tokens, len(phones), nll, usage, lm_perplexity, weighted)


def metric(score: Score) -> float:
    """Return wav2vec-U's NLL - log usage, of which the lowest is best: infinite without any phone."""
    return score.nll - math.log(score.usage) if score.tokens else math.inf


def choose(scores: Sequence[Score], slack: float = SLACK) -> int:
    """Return the index of the best of `scores`, all of the same utterances; the first of equal ones.

    The anchor has the lowest NLL - log usage. Kept are the anchor and all candidates less than log `slack` above it
    (equation 5 with both usages on the left); of these, the one with the highest `log_prob`, not divided by the length,
    is chosen. Candidates without phones are never chosen: raises UserError if there are no others.
    """
    adjusted = {index: metric(one) for index, one in enumerate(scores) if one.tokens}
    if not adjusted:
        raise UserError(
            f"all {len(scores)} candidates give nothing but silence: their training collapsed. Try more seeds, a warm "
            "start from the phones of the matching, or other weights of the penalties."
        )
    anchor = min(adjusted, key=lambda index: adjusted[index])
    limit = adjusted[anchor] + math.log(slack)
    kept = [index for index, value in adjusted.items() if index == anchor or value < limit]
    return max(kept, key=lambda index: scores[index].log_prob)
