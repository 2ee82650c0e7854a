"""Stage supervised_align: transcripts aligned with their audio, pronunciations and silences chosen on the way.

Dimensions: T frames of an utterance.
"""

from collections.abc import Mapping, Sequence

import kaldi_hmm_gmm as khg
import numpy as np
from threadpoolctl import threadpool_limits

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.graph import lexicon_fst
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import SELF_LOOP_SCALE
from unscribed.parallel import ordered_map
from unscribed.supervised.text import transcript_words
from unscribed.tables import PhoneTable
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.silence import SilenceSettings
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed

ALIGN_SCALE = 0.1  # of the acoustics, as in Kaldi
ALIGN_BEAM, ALIGN_ACTIVE = 40.0, 20_000


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
    """Align the audio with its transcripts, choosing pronunciations and silences; write phones and their times.

    Utterances with unknown words, or that no path explains, get no phones and are counted.
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
    with threadpool_limits(1):
        for number, (phones, starts) in enumerate(ordered_map(align, enumerate(graphs), threads, "align")):
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
    """The graph of one transcript; None if a word is not in the lexicon, or there is none."""
    spoken = words.get(utterance, [])
    if not spoken or any(word not in symbols for word in spoken):
        return None
    return Graph.parse(str(compiler.compile_graph_from_text([symbols[word] for word in spoken])), [])
