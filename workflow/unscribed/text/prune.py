"""Drop rare n-grams from a back-off model.

For models by kaldingram; lmplz prunes by itself. kaldingram's own pruning estimates discounts from the counts that are
left: without n-grams that occur once, almost no probability is left for back-off. Here the probabilities of the kept
n-grams stay, and the back-off weights are adapted.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from unscribed.text.arpa import END, START, Arpa, Ngram


def prune_rare(model: Arpa, sentences: Iterable[str], smallest: Sequence[int]) -> Arpa:
    """Return the model without the n-grams of two tokens and more that are too rare in its text `sentences`.

    `smallest` has the smallest count to keep for each order. It must not fall with the order: then all parts of a kept
    n-gram are kept, which back-off needs. The back-off weight of a history that loses n-grams becomes
    (1 - sum of P(w | history)) / (1 - sum of P(w | shorter history)), with both sums over the kept w.
    """
    counts = _count(sentences, len(smallest))
    log_probs = {
        ngram: value
        for ngram, value in model.log_probs.items()
        if len(ngram) == 1 or counts[ngram] >= smallest[len(ngram) - 1]
    }
    changed = {ngram[:-1] for ngram in model.log_probs.keys() - log_probs.keys()}
    left: dict[Ngram, float] = defaultdict(lambda: 1.0)
    left_shorter: dict[Ngram, float] = defaultdict(lambda: 1.0)
    for ngram, value in log_probs.items():
        if ngram[:-1] in changed:
            left[ngram[:-1]] -= math.exp(value)
            left_shorter[ngram[:-1]] -= math.exp(log_probs[ngram[1:]])
    backoffs = {history: value for history, value in model.backoffs.items() if history in log_probs}
    for history in changed & log_probs.keys():
        backoffs[history] = math.log(left[history] / left_shorter[history])
    lengths = Counter(map(len, log_probs))
    return Arpa(model.order, tuple(lengths[order + 1] for order in range(model.order)), log_probs, backoffs)


def _count(sentences: Iterable[str], order: int) -> Counter[Ngram]:
    """Count all n-grams of two to `order` tokens, with the start and the end of sentences as tokens."""
    counts: Counter[Ngram] = Counter()
    for sentence in sentences:
        tokens = (START, *sentence.split(), END)
        for length in range(2, order + 1):
            counts.update(tokens[start : start + length] for start in range(len(tokens) - length + 1))
    return counts
