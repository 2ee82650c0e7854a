"""Stage supervised_align: align transcripts with their audio, choosing pronunciations and silences.

Dimensions: T frames of an utterance.
"""

from collections.abc import Mapping, Sequence

import kaldi_hmm_gmm as khg
import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.graph import lexicon_fst
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import SELF_LOOP_SCALE
from unscribed.parallel import numeric_map
from unscribed.supervised.text import transcript_words
from unscribed.tables import PhoneTable
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.silence import SilenceSettings
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed

ALIGN_SCALE = 0.1  # factor of the acoustic log likelihoods against the graph's costs, as in Kaldi's alignment
ALIGN_BEAM = 40.0  # in scaled log likelihood, as wide as Kaldi's second try; narrower is faster and loses utterances
ALIGN_ACTIVE = 20_000  # most tokens per frame; a bound on the time that a very long transcript takes


def word_alignment(
    *,
    references: Pathlike,
    features: Pathlike,
    model: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    silence: SilenceSettings,
    language: str,
    threads: int,
    aligned: Pathlike,
) -> None:
    """Align the audio with its transcripts; write the phones with their times.

    Utterances with words that the lexicon lacks, or without a path, get no phones and are counted in the log.
    """
    store, acoustic, symbols = FrameStore(features), HmmModel.read(model), read_symbols(word_symbols)
    topology, words = acoustic.topology, transcript_words(references, language)
    lexicon = lexicon_fst(read_lexiconp(lexiconp), symbols, topology.phones, silence)
    options = khg.TrainingGraphCompilerOptions(transition_scale=1.0, self_loop_scale=SELF_LOOP_SCALE, reorder=True)
    compiler = khg.TrainingGraphCompiler(
        topology.transitions, topology.context, lexicon.fst, lexicon.disambiguation, options
    )

    def align(numbered: tuple[int, Graph | None]) -> tuple[Sequence[str], Sequence[int]]:
        number, graph = numbered
        scores = acoustic.scores(store, number) * np.float32(ALIGN_SCALE)
        found = search(graph, scores, ALIGN_BEAM, ALIGN_ACTIVE, 0.0) if graph else None
        return topology.phones_of(found.alignment()) if found else ([], [])

    graphs = (_graph(compiler, words, name, symbols) for name in store.utterances)
    table = PhoneTable()
    for number, (phones, starts) in enumerate(numeric_map(align, enumerate(graphs), threads, "align")):
        table.append(
            utterance=store.utterances[number],
            phones=phones,
            starts_frames=starts,
            frames=int(store.lengths[number]),
        )
    table.write(aligned, store.metadata)
    pairs = zip(table.columns["utterance"], table.columns["phones"], strict=True)
    log_failed([name for name, phones in pairs if not phones])


def _graph(
    compiler: khg.TrainingGraphCompiler, words: Mapping[str, Sequence[str]], utterance: str, symbols: dict[str, int]
) -> Graph | None:
    """Compile the graph of one transcript; None if it is missing or empty, or the lexicon lacks one of its words."""
    spoken = words.get(utterance, [])
    if not spoken or any(word not in symbols for word in spoken):
        return None
    return Graph.parse(str(compiler.compile_graph_from_text([symbols[word] for word in spoken])), [])
