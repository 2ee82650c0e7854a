"""Stage ctc_tune: weight of the n-grams and cost of a word, chosen on some utterances of the split valid.

With transcripts the word error rate decides. A model that has learned from pseudo-labels alone is judged without any:
by the perplexity of its words and their edit rate, in letters, to the pseudo-labels. See `unscribed.wfst.tuning`.
"""

import math
from collections.abc import Sequence

from unscribed.artifacts import Pathlike
from unscribed.ctc.search import lattices
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.tables import PseudoLabelTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.normalize import words_of
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import SearchSettings
from unscribed.wfst.tuning import GridSettings, Labels, tune, write_tuning
from unscribed.wfst.weights import Weights

NO_LABELS = (
    "no utterance of the split valid has words in its transcripts or pseudo-labels, so that no weights can be chosen: "
    "check that they name the same files."
)


def ctc_tune(
    *,
    log_probs: Pathlike,
    graph: Pathlike,
    word_symbols: Pathlike,
    arpa: Pathlike,
    references: Pathlike | Sequence[str],
    pseudo_labels: Pathlike | Sequence[str],
    language: str,
    grid: GridSettings,
    search: SearchSettings,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
) -> None:
    """Decode some utterances with all weights; write the scores, and the weights with the lowest.

    `references` are transcripts, or an empty list: then the label-free score with `pseudo_labels` decides. `arpa` is
    the word language model. Raises UserError without either, and if no utterance is found in both.
    """
    store, decoding = FrameStore(log_probs), Graph.read(graph)
    spelling = {number: word for word, number in read_symbols(word_symbols).items()}
    labels, language_model = word_labels(references, pseudo_labels, language), Arpa.read(arpa)
    chosen = labels.choose(store.utterances, grid.tune_utterances, seed, NO_LABELS)
    names = [store.utterances[number] for number in chosen]

    def measure(candidate: Weights) -> tuple[float, float]:
        found = lattices(store, decoding, candidate, search, threads, chosen)
        hypotheses = [[spelling[word] for word in lattice.symbols().tolist()] if lattice else [] for lattice in found]
        rate = labels.edit_rate(zip(names, [compared(words, labels) for words in hypotheses], strict=True))
        lines = [" ".join(words) for words in hypotheses if words]
        return perplexity(language_model, lines)["perplexity"] or math.inf, rate

    silent = (
        f"no words were found in the {len(chosen)} utterances of {log_probs}: the model may have learned nothing, see "
        "its curves, or the search is too narrow (ctc.beam, ctc.max_active)."
    )
    write_tuning(tune(grid.weights(), measure, labels, silent), tuning, weights)


def word_labels(references: Pathlike | Sequence[str], pseudo_labels: Pathlike | Sequence[str], language: str) -> Labels:
    """Read the words of transcripts or, without transcripts, the letters (with spaces) of pseudo-labels.

    Both are tables of what a model is fine-tuned on; transcripts have come into theirs by the stage few_labels.
    Raises UserError if there is neither.
    """
    if not references and not pseudo_labels:
        raise UserError("nothing to choose the weights of a decoding by: neither transcripts nor pseudo-labels.")
    pairs = PseudoLabelTable.read(references or pseudo_labels)[["utterance", "words"]].itertuples(index=False)
    spoken = words_of(dict(pairs), language)
    if references:
        return Labels(spoken, fluency=False)
    return Labels({utterance: _letters(words) for utterance, words in spoken.items()}, fluency=True)


def compared(words: Sequence[str], labels: Labels) -> list[str]:
    """Spell decoded words in the symbols of the labels: words, or the letters of pseudo-labels."""
    return _letters(words) if labels.fluency else list(words)


def _letters(words: Sequence[str]) -> list[str]:
    return list(" ".join(words))
