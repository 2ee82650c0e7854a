"""Stage hmm_graph: lexicon, language model and HMMs composed into one decoding graph (Mohri et al. 2002).

HCLG of Kaldi's mkgraph.sh for monophones. `<SIL>` is a token of the phone language model; between words it is
optional and comes from the lexicon, since word language models do not have it.
"""

import logging
import math
from collections import Counter

import kaldi_hmm_gmm as khg
import kaldifst

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import SELF_LOOP_SCALE, Topology
from unscribed.hmm.unknown_words import LexiconFst, add_unknown_word, with_spelled_word
from unscribed.text.lexicon import Pronunciation, read_lexiconp
from unscribed.text.silence import SilenceSettings
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_fst, read_symbols

log = logging.getLogger(__name__)

SILENCE_ID = 1  # phone id of `<SIL>`, the first of the inventory
SMALLEST, LARGEST = 0.05, 0.95  # bounds of `silence.probability`, so that silence is never impossible or certain


def phone_graph(*, model: Pathlike, fst: Pathlike, graph: Pathlike) -> None:
    """Write the graph of a phone language model `fst` (OpenFst, from the stage phone_lm)."""
    topology = HmmModel.read(model).topology
    compose(topology, LexiconFst(None, [len(topology.phones) + 1]), read_fst(fst)).write(graph)


def word_graph(
    *,
    model: Pathlike,
    fst: Pathlike,
    word_symbols: Pathlike,
    lexiconp: Pathlike,
    spelling: Pathlike | None,
    silence: SilenceSettings,
    unknown_probability: float,
    graph: Pathlike,
) -> None:
    """Write the graph of the lexicon and a word language model `fst` (OpenFst, from the stage word_lm).

    With `spelling`, n-grams of the phones of words (OpenFst), any word may be an unknown one, with
    `unknown_probability` wherever the language model backs off to single words.
    Raises UserError if the lexicon has other words than the language model's symbols, or unknown phones.
    """
    topology = HmmModel.read(model).topology
    symbols = read_symbols(word_symbols)
    entries = read_lexiconp(lexiconp)
    if missing := sorted({word for word, _, _ in entries} - symbols.keys()):
        raise UserError(
            f"{lexiconp} has {len(missing)} words that {word_symbols} lacks, for example {missing[0]}: they come from "
            "different texts. Delete both and run the stages lexicon and word_lm again."
        )
    if unknown := {phone for _, _, phones in entries for phone in phones} - set(topology.phones):
        raise UserError(
            f"{lexiconp} has phones that {model} lacks: {', '.join(sorted(unknown)[:5])}. The lexicon was made after "
            "the model: run the stage hmm again."
        )
    lexicon, language_model = lexicon_fst(entries, symbols, topology.phones, silence), read_fst(fst)
    if spelling:
        number = max(symbols.values()) + 1  # no table has it, because the unknown word is never written
        lexicon = with_spelled_word(lexicon, read_fst(spelling), number)
        add_unknown_word(language_model, symbols["#0"], number, unknown_probability)
    compose(topology, lexicon, language_model).write(graph)


def lexicon_fst(
    entries: list[Pronunciation],
    words: dict[str, int],
    phones: list[str],
    settings: SilenceSettings,
) -> LexiconFst:
    """Make the transducer from phones to words (Kaldi's make_lexicon_fst).

    Silence is optional at the ends and between words, with the probabilities of `settings`.
    Pronunciations that are shared, or that begin another one, end in disambiguation symbols.
    """
    ids = {phone: number for number, phone in enumerate(phones, start=1)}
    shared = Counter(spoken for _, _, spoken in entries)
    beginnings = {spoken[:length] for _, _, spoken in entries for length in range(1, len(spoken))}
    used: Counter[tuple[str, ...]] = Counter()
    # `#0` stands for the language model's back-off, the next ones for pronunciations, the last two for silence.
    zero = len(phones) + 1
    between = min(max(settings.probability, SMALLEST), LARGEST)
    around = LARGEST if settings.surround else between
    highest = max(shared.values())
    inner, last = zero + highest + 1, zero + highest + 2
    skip, take = -math.log(1 - around), -math.log(around)
    # States: 0 start, 1 between words, 2 and 3 in the first and an inner silence, 4 and 5 in the last one.
    rows = [f"0 1 0 0 {skip}", f"0 2 {SILENCE_ID} 0 {take}", f"2 1 {inner} 0", f"1 1 {zero} {words['#0']}"]
    rows += [f"1 3 {SILENCE_ID} 0 {-math.log(between)}", f"3 1 {inner} 0"]
    rows += [f"1 4 {SILENCE_ID} 0 {take}", f"4 5 {last} 0", "5", f"1 {skip}"]
    free = 6
    for word, probability, spoken in entries:
        labels = [ids[phone] for phone in spoken]
        if shared[spoken] > 1 or spoken in beginnings:
            used[spoken] += 1
            labels.append(zero + used[spoken])
        state, output, cost = 1, words[word], -math.log(probability)
        for label in labels[:-1]:
            rows.append(f"{state} {free} {label} {output} {cost}")
            state, output, cost = free, 0, 0.0
            free += 1
        rows.append(f"{state} 1 {labels[-1]} {output} {cost}")
    return LexiconFst(kaldifst.compile("\n".join(rows) + "\n"), list(range(zero, last + 1)))


def compose(topology: Topology, lexicon: LexiconFst, language_model: kaldifst.StdVectorFst) -> Graph:
    """Compose H ∘ C ∘ L ∘ G with self loops, determinised; L ∘ G is minimised."""
    if lexicon.fst is not None:
        kaldifst.arcsort(lexicon.fst, "olabel")
        kaldifst.arcsort(language_model, "ilabel")
        language_model = kaldifst.compose(lexicon.fst, language_model)
    kaldifst.determinize_star(language_model)
    kaldifst.minimize_encoded(language_model)
    in_context, labels = kaldifst.compose_context(lexicon.disambiguation, 1, 0, language_model)
    kaldifst.arcsort(in_context, "ilabel")
    hmms, silent = khg.get_h_transducer(
        labels, topology.context, topology.transitions, khg.HTransducerConfig(transition_scale=1.0)
    )
    kaldifst.arcsort(hmms, "olabel")
    graph = kaldifst.compose(hmms, in_context)
    kaldifst.determinize_star(graph)
    graph = khg.add_self_loops(
        self_loop_scale=SELF_LOOP_SCALE,
        disambig_syms=silent,
        reorder=True,
        trans_model=topology.transitions,
        ifst=graph,
    )
    flat = Graph.parse(str(graph), silent)
    log.info("%d states, %d arcs", len(flat.final), len(flat.inputs))
    return flat
