"""Words that the text does not have: spelled by n-grams of phones between the known words of a decoding graph.

As in Kaldi's make_unk_lm.sh. The language model has the unknown word as a single word alone, and so the graph has its
n-grams of phones once.
"""

import math
from dataclasses import dataclass

import kaldifst

BETWEEN_WORDS = 1  # state of the lexicon where a word has ended and another may begin


@dataclass(frozen=True)
class LexiconFst:
    """A lexicon transducer (None: the language model's tokens are phones) and its disambiguation symbols.

    The first of the symbols is `#0`, which stands for the back-off of n-grams.
    """

    fst: kaldifst.StdVectorFst | None
    disambiguation: list[int]


def with_spelled_word(lexicon: LexiconFst, spelling: kaldifst.StdVectorFst, word: int) -> LexiconFst:
    """Return the lexicon with a word whose number is `word`, spelled by `spelling`, n-grams of phones.

    It is entered and left by symbols of its own, which tell it from known words that are spelled alike.
    """
    entering, leaving = lexicon.disambiguation[-1] + 1, lexicon.disambiguation[-1] + 2
    fst = lexicon.fst.copy()
    states = [fst.add_state() for _ in range(spelling.num_states)]
    fst.add_arc(BETWEEN_WORDS, kaldifst.StdArc(entering, word, 0.0, states[spelling.start]))
    for number, state in enumerate(states):
        for arc in kaldifst.ArcIterator(spelling, number):  # the number of back-off is that of `#0` here, too
            fst.add_arc(state, kaldifst.StdArc(arc.ilabel, 0, float(arc.weight.value), states[arc.nextstate]))
        end = float(spelling.final(number).value)
        if math.isfinite(end):
            fst.add_arc(state, kaldifst.StdArc(leaving, 0, end, BETWEEN_WORDS))
    return LexiconFst(fst, [*lexicon.disambiguation, entering, leaving])


def add_unknown_word(language_model: kaldifst.StdVectorFst, back_off: int, word: int, probability: float) -> None:
    """Add the `word` to a word language model, in place, where it backs off to single words.

    `back_off` is the number of the symbol `#0`.
    """
    state = language_model.start
    while (shorter := _after(language_model, state, back_off)) is not None:
        state = shorter
    language_model.add_arc(state, kaldifst.StdArc(word, word, -math.log(probability), state))


def _after(fst: kaldifst.StdVectorFst, state: int, label: int) -> int | None:
    """Return the state that an arc with this input label leads to, if there is one."""
    return next((arc.nextstate for arc in kaldifst.ArcIterator(fst, state) if arc.ilabel == label), None)
