"""Stage ctm: the times of phones and words, in seconds of the original audio.

The columns are those of NIST's CTM format (conversation time marks), as Parquet.
"""

import logging
from collections.abc import Iterable

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.audio.times import TimeBase
from unscribed.outputs.whole import Whole
from unscribed.tables import NO_PATH, CtmTable, VadTable, WordTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

CHANNEL = "1"  # CTM names a channel; all audio is mixed down to one


def ctm(
    *,
    words: Pathlike,
    vad: Pathlike,
    hop_ms: float,
    sample_rate_hz: int,
    phones_ctm: Pathlike,
    words_ctm: Pathlike,
    cuts: Pathlike | None = None,
) -> None:
    """Write the times of all phones and words of the table `words` (word decoding) of one split.

    Times refer to the original audio, before the silence between the regions of `vad` was removed. Where two
    regions were joined, a phone or word that starts there gets the start of the later region, and one that ends there
    the end of the earlier one, so that a gap separates them. One that spans the joint includes the removed silence.
    `confidence` is that of the word, from 0 to 1; a phone has that of its word, silence has null. `<SIL>` is a row
    among the phones. Utterances without a path through the decoding graph have no rows.
    Utterances that were cut from a recording have its name and their times in it, if `cuts` lists them.
    Raises UserError if `words` is not such a table, or if `vad` lacks one of its utterances.
    """
    table = WordTable.read(words)
    whole = Whole(cuts)
    times = TimeBase(VadTable.by_utterance(vad, table["utterance"].tolist()), hop_ms, sample_rate_hz)
    phone_rows, word_rows = [], []
    for row in table.itertuples():
        word_ends = row.word_starts_frames + row.word_frames
        phone_ends = np.append(row.starts_frames[1:], row.frames)[: len(row.phones)]
        phone_rows += _rows(times, row.utterance, row.starts_frames, phone_ends, row.phones, _phone_confidences(row))
        word_rows += _rows(times, row.utterance, row.word_starts_frames, word_ends, row.words, row.word_confidences)
    CtmTable.from_rows(whole.rows(phone_rows)).write(phones_ctm)
    CtmTable.from_rows(whole.rows(word_rows)).write(words_ctm)
    no_path = int((table["status"] == NO_PATH).sum())
    log.info(
        "%d utterances: %d phones, %d words; %d without a path", len(table), len(phone_rows), len(word_rows), no_path
    )


def _rows(
    times: TimeBase,
    utterance: str,
    starts_frames: np.ndarray,
    ends_frames: np.ndarray,
    symbols: Iterable[str],
    confidences: Iterable[float],
) -> list[tuple]:
    """CTM rows of one utterance's symbols."""
    starts = times.seconds(utterance, starts_frames)
    # The last frame may start after the end of its region: then its duration is 0, not negative.
    ends = np.maximum(times.seconds(utterance, ends_frames, ends=True), starts)
    spans = zip(starts, ends - starts, symbols, confidences, strict=True)
    return [(utterance, CHANNEL, *span) for span in spans]


def _phone_confidences(row: pd.Series) -> list[float | None]:
    """Confidence of the word in which each phone begins; None for silence and outside words."""
    found: list[float | None] = []
    for phone, start in zip(row.phones, row.starts_frames, strict=True):
        word = int(np.searchsorted(row.word_starts_frames, start, side="right")) - 1
        inside = word >= 0 and start < row.word_starts_frames[word] + row.word_frames[word]
        found.append(float(row.word_confidences[word]) if inside and phone != SILENCE else None)
    return found
