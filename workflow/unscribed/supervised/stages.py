"""Transcripts for the supervised recogniser: its text, its first labels, and alignments of its audio.

Only the rules of the target `supervised` use this module; nothing else may read transcripts.
Dimensions: T frames of an utterance.
"""

import logging
from collections.abc import Mapping, Sequence

import kaldi_hmm_gmm as khg
import numpy as np
from threadpoolctl import threadpool_limits

from unscribed.artifacts import Pathlike, write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.hmm.graph import lexicon_fst
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import SELF_LOOP_SCALE
from unscribed.parallel import ordered_map
from unscribed.references import read_references, transcripts
from unscribed.tables import PhoneTable
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.lines import read_lines
from unscribed.text.normalize import words_of
from unscribed.text.silence import SILENCE, SilenceSettings
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph
from unscribed.wfst.openfst import read_symbols
from unscribed.wfst.search import log_failed

log = logging.getLogger(__name__)

ALIGN_SCALE = 0.1  # of the acoustics, as in Kaldi
ALIGN_BEAM, ALIGN_ACTIVE = 40.0, 20_000


def transcript_words(references: Pathlike, language: str) -> dict[str, list[str]]:
    """The words of each transcribed utterance, in the spelling of the text. Raises UserError without transcripts."""
    if not references:
        raise UserError("corpus.folder.transcripts is empty: a supervised recogniser needs transcripts of the audio.")
    return words_of(transcripts(references), language)


def supervised_text(*, references: Pathlike, text: Pathlike, language: str, joined: Pathlike) -> None:
    """Write the sentences of `text` and the transcripts of the training audio: what the supervised LMs learn from.

    Raises UserError if no transcript has words.
    """
    sentences = [line for _, line in read_lines(text) if line.strip()]
    spoken = [" ".join(words) for words in transcript_words(references, language).values() if words]
    if not spoken:
        raise UserError(f"{references} has no words: a supervised recogniser needs transcripts of the training audio.")
    write_lines(joined, [*sentences, *spoken])
    log.info("%d sentences of text and %d transcripts", len(sentences), len(spoken))


def flat_labels(
    *, references: Pathlike, features: Pathlike, lexiconp: Pathlike, language: str, labels: Pathlike
) -> None:
    """Write the transcripts' phones by the most probable pronunciations, equally long: the flat start of training.

    `<SIL>` stands at both ends. Utterances with a word that has no pronunciation, or with fewer frames than phones,
    are left out and counted. Raises UserError if none is left.
    """
    store, words = FrameStore(features), transcript_words(references, language)
    best = {word: phones for word, value, phones in read_lexiconp(lexiconp) if value == 1}
    table = PhoneTable()
    unknown = short = 0
    for number, utterance in enumerate(store.utterances):
        spoken, frames = words.get(utterance, []), int(store.lengths[number])
        if not spoken or any(word not in best for word in spoken):
            unknown += 1
            continue
        phones = [SILENCE, *(phone for word in spoken for phone in best[word]), SILENCE]
        if len(phones) > frames:
            short += 1
            continue
        starts = np.arange(len(phones)) * frames // len(phones)
        table.append(utterance=utterance, phones=phones, starts_frames=starts, frames=frames)
    if not len(table):
        raise UserError(
            f"no utterance of {features} has a transcript in {references} whose words are all in {lexiconp}: check "
            "that the transcripts name the same files and are in corpus.language."
        )
    table.write(labels, store.metadata)
    log.info("%d utterances; left out: %d without known words, %d too short", len(table), unknown, short)


def reference_phones(*, references: Pathlike, features: Pathlike, labels: Pathlike) -> None:
    """Write the phones of the references, equally long: what the weights of the topline's decoding are chosen by.

    Utterances of the store `features` without any are left out.
    """
    store, known = FrameStore(features), read_references(references).set_index("utterance")["phones"]
    table = PhoneTable()
    for utterance, frames in zip(store.utterances, store.lengths.tolist(), strict=True):
        phones = list(known.get(utterance, ()))
        if phones:
            starts = np.arange(len(phones)) * frames // len(phones)
            table.append(utterance=utterance, phones=phones, starts_frames=starts, frames=frames)
    table.write(labels, store.metadata)


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
    grammar = lexicon_fst(read_lexiconp(lexiconp), symbols, topology.phones, silence)
    options = khg.TrainingGraphCompilerOptions(transition_scale=1.0, self_loop_scale=SELF_LOOP_SCALE, reorder=True)
    compiler = khg.TrainingGraphCompiler(
        topology.transitions, topology.context, grammar.lexicon, grammar.disambiguation, options
    )

    def phones_of(job: tuple[int, Graph | None]) -> tuple[Sequence[int], Sequence[int]]:
        number, graph = job
        scores = acoustic.scores(store, number) * np.float32(ALIGN_SCALE)
        found = search(graph, scores, ALIGN_BEAM, ALIGN_ACTIVE, 0.0) if graph else None
        return topology.phones_of(found.alignment()) if found else ([], [])

    jobs = ((number, _graph(compiler, words, name, symbols)) for number, name in enumerate(store.utterances))
    table = PhoneTable()
    with threadpool_limits(1):
        for number, (phones, starts) in enumerate(ordered_map(phones_of, jobs, threads, "align")):
            table.append(
                utterance=store.utterances[number],
                phones=[topology.phones[phone - 1] for phone in phones],
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
