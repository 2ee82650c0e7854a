"""Stage supervised_text: join unrelated text and transcripts, to train the supervised recogniser's LMs on."""

import logging
from collections.abc import Sequence

from unscribed.artifacts import Pathlike, write_lines
from unscribed.errors import UserError
from unscribed.references import transcripts
from unscribed.text.lines import read_lines
from unscribed.text.normalize import words_of

log = logging.getLogger(__name__)

NO_TRANSCRIPTS = "corpus.folder.transcripts is empty: a supervised recogniser needs transcripts of the audio."


def transcript_words(references: Pathlike | Sequence[str], language: str) -> dict[str, list[str]]:
    """Read the words of each transcribed utterance, spelt as in the text. Raises UserError without transcripts."""
    if not references:
        raise UserError(NO_TRANSCRIPTS)
    return words_of(transcripts(references), language)


def supervised_text(*, references: Pathlike | Sequence[str], text: Pathlike, language: str, joined: Pathlike) -> None:
    """Write the sentences of `text` and the transcripts of the training audio, on which the supervised LMs are trained.

    Raises UserError if no transcript has words.
    """
    sentences = [line for _, line in read_lines(text) if line.strip()]
    spoken = [" ".join(words) for words in transcript_words(references, language).values() if words]
    if not spoken:
        raise UserError(f"{references} has no words: a supervised recogniser needs transcripts of the training audio.")
    write_lines(joined, [*sentences, *spoken])
    log.info("%d sentences of text and %d transcripts", len(sentences), len(spoken))
