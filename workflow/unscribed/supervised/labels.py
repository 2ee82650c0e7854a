"""Stages supervised_labels and supervised_valid_labels: phones of transcripts, with evenly spaced times.

Those of train start the training of the HMM; those of valid choose the weights of its decoding.
"""

import logging
from collections.abc import Sequence

import numpy as np

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.references import read_references
from unscribed.supervised.text import NO_TRANSCRIPTS, transcript_words
from unscribed.tables import PhoneTable
from unscribed.text.lexicon import read_lexiconp
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)


def flat_labels(
    *, references: Pathlike | Sequence[str], features: Pathlike, lexiconp: Pathlike, language: str, labels: Pathlike
) -> None:
    """Write the phones of each transcript, all equally long, as the flat start of HMM training.

    A word has its most probable pronunciation. `<SIL>` stands at both ends. Utterances without a transcript, with a
    word that has no pronunciation, or with fewer frames than phones are left out and counted in the log. Raises
    UserError if none is left.
    """
    store, words = FrameStore(features), transcript_words(references, language)
    # Kaldi's lexiconp scales the probabilities of a word's pronunciations to a maximum of 1
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
        table.append(utterance=utterance, phones=phones, starts_frames=_spread(len(phones), frames), frames=frames)
    if not len(table):
        raise UserError(
            f"no utterance of {features} has a transcript in {references} whose words are all in {lexiconp}: check "
            "that the transcripts name the same files and are in corpus.language."
        )
    table.write(labels, store.metadata)
    log.info(
        "%d utterances; left out: %d without transcript or with unknown words, %d too short", len(table), unknown, short
    )


def reference_phones(*, references: Pathlike | Sequence[str], features: Pathlike, labels: Pathlike) -> None:
    """Write the reference phones, equally long, by which the weights of the supervised decoding are chosen.

    Utterances of the store `features` without reference phones are left out. Raises UserError without transcripts.
    """
    if not references:
        raise UserError(NO_TRANSCRIPTS)
    store, known = FrameStore(features), read_references(references).set_index("utterance")["phones"]
    table = PhoneTable()
    for utterance, frames in zip(store.utterances, store.lengths.tolist(), strict=True):
        phones = list(known.get(utterance, ()))
        if phones:
            table.append(utterance=utterance, phones=phones, starts_frames=_spread(len(phones), frames), frames=frames)
    table.write(labels, store.metadata)


def _spread(phones: int, frames: int) -> np.ndarray:
    """Compute the first frames of `phones` phones that share `frames` frames equally."""
    return np.arange(phones) * frames // phones
