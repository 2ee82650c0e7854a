"""Transcripts for the supervised recogniser: its text, its first labels, and alignments of its audio.

Only the rules of the target `supervised` use this module; nothing else may read transcripts.
Dimensions: T frames of an utterance.
"""

import logging
import unicodedata
from collections.abc import Mapping, Sequence

import kaldi_hmm_gmm as khg
import numpy as np
from threadpoolctl import threadpool_limits

from unscribed.artifacts import FrameStore, Pathlike, read_table, write_lines, write_table
from unscribed.audio.parallel import ordered_map
from unscribed.decoding.beam import search
from unscribed.decoding.decode import DECODE_SCHEMA
from unscribed.decoding.graph import Graph
from unscribed.errors import UserError
from unscribed.hmm.decode import log_failed
from unscribed.hmm.graph import lexicon_fst, read_symbols
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import SELF_LOOP_SCALE
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.lines import read_lines
from unscribed.text.normalize import cleaner
from unscribed.text.silence import SILENCE, SilenceSettings

log = logging.getLogger(__name__)

ALIGN_SCALE = 0.1  # of the acoustics, as in Kaldi
ALIGN_BEAM, ALIGN_ACTIVE = 40.0, 20_000


def transcript_words(references: Pathlike, language: str) -> dict[str, list[str]]:
    """The words of each transcribed utterance, in the spelling of the text. Raises UserError without transcripts."""
    if not references:
        raise UserError("corpus.folder.transcripts is empty: a supervised recogniser needs transcripts of the audio.")
    clean = cleaner(language)
    table = read_table(references)
    return {row.utterance: clean(unicodedata.normalize("NFC", row.words or "")) for row in table.itertuples()}


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
    columns: dict[str, list] = {name: [] for name, _ in DECODE_SCHEMA}
    unknown = short = 0
    for number, utterance in enumerate(store.utterances):
        spoken, frames = words.get(utterance, []), int(store.offsets[number + 1] - store.offsets[number])
        if not spoken or any(word not in best for word in spoken):
            unknown += 1
            continue
        phones = [SILENCE, *(phone for word in spoken for phone in best[word]), SILENCE]
        if len(phones) > frames:
            short += 1
            continue
        columns["utterance"].append(utterance)
        columns["phones"].append(phones)
        columns["starts_frames"].append(np.arange(len(phones)) * frames // len(phones))
        columns["frames"].append(frames)
    if not columns["utterance"]:
        raise UserError(
            f"no utterance of {features} has a transcript in {references} whose words are all in {lexiconp}: check "
            "that the transcripts name the same files and are in corpus.language."
        )
    write_table(labels, columns, DECODE_SCHEMA, store.metadata)
    log.info("%d utterances; left out: %d without known words, %d too short", len(columns["utterance"]), unknown, short)


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
    columns: dict[str, list] = {name: [] for name, _ in DECODE_SCHEMA}
    with threadpool_limits(1):
        for number, (phones, starts) in enumerate(ordered_map(phones_of, jobs, threads, "align")):
            columns["utterance"].append(store.utterances[number])
            columns["phones"].append([topology.phones[phone - 1] for phone in phones])
            columns["starts_frames"].append(starts)
            columns["frames"].append(int(store.offsets[number + 1] - store.offsets[number]))
    write_table(aligned, columns, DECODE_SCHEMA, store.metadata)
    pairs = zip(columns["utterance"], columns["phones"], strict=True)
    log_failed([name for name, phones in pairs if not phones])


def _graph(
    compiler: khg.TrainingGraphCompiler, words: Mapping[str, Sequence[str]], utterance: str, symbols: dict[str, int]
) -> Graph | None:
    """The graph of one transcript; None if a word is not in the lexicon, or there is none."""
    spoken = words.get(utterance, [])
    if not spoken or any(word not in symbols for word in spoken):
        return None
    return Graph.parse(str(compiler.compile_graph_from_text([symbols[word] for word in spoken])), [])
