"""Stage ctm: when each phone and each word was spoken, in seconds of the original audio.

The columns are those of NIST's CTM format (conversation time marks), as Parquet.
"""

import logging
from collections.abc import Iterable

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike
from unscribed.audio.times import TimeBase
from unscribed.tables import NO_PATH, CtmTable, VadTable, WordTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

CHANNEL = "1"  # all audio is mixed down to one


def ctm(
    *,
    words: Pathlike,
    vad: Pathlike,
    hop_ms: float,
    sample_rate_hz: int,
    phones_ctm: Pathlike,
    words_ctm: Pathlike,
) -> None:
    """Write the times of all phones and words of the table `words` (word decoding) of one split.

    Times refer to the original audio, before the silence between the regions of `vad` was removed. A segment begins
    and ends where speech is: its start on a joint of two regions is the start of the later region, its end on a joint
    the end of the earlier one. A segment over a joint contains the removed silence; between a segment that ends on a
    joint and the next there is a gap.
    `confidence` is the word's, from 0 to 1; a phone has that of its word, silence has none (null). `<SIL>` is a row
    among the phones. Utterances that the decoder found no path for have no rows.
    Raises UserError if `words` is no such table, or if `vad` lacks one of its utterances.
    """
    table = WordTable.read(words)
    times = TimeBase(VadTable.by_utterance(vad, table["utterance"].tolist()), hop_ms, sample_rate_hz)
    phone_rows, word_rows = [], []
    for row in table.itertuples():
        word_ends = row.word_starts_frames + row.word_frames
        phone_ends = np.append(row.starts_frames[1:], row.frames)[: len(row.phones)]
        phone_rows += _rows(times, row.utterance, row.starts_frames, phone_ends, row.phones, _phone_confidences(row))
        word_rows += _rows(times, row.utterance, row.word_starts_frames, word_ends, row.words, row.word_confidences)
    _write(phones_ctm, phone_rows)
    _write(words_ctm, word_rows)
    silent = int((table["status"] == NO_PATH).sum())
    log.info(
        "%d utterances: %d phones, %d words; %d without a path", len(table), len(phone_rows), len(word_rows), silent
    )


def _rows(
    times: TimeBase,
    utterance: str,
    starts_frames: np.ndarray,
    ends_frames: np.ndarray,
    symbols: Iterable[str],
    confidences: Iterable[float],
) -> list[tuple]:
    """The rows of one utterance."""
    starts = times.seconds(utterance, starts_frames)
    # the last frame may begin after the end of its region, where nothing is left of it
    ends = np.maximum(times.seconds(utterance, ends_frames, ends=True), starts)
    spans = zip(starts, ends - starts, symbols, confidences, strict=True)
    return [(utterance, CHANNEL, *span) for span in spans]


def _phone_confidences(row: pd.Series) -> list[float | None]:
    """The confidence of the word in which each phone begins; None for silence and outside words."""
    found: list[float | None] = []
    for phone, start in zip(row.phones, row.starts_frames, strict=True):
        word = int(np.searchsorted(row.word_starts_frames, start, side="right")) - 1
        inside = word >= 0 and start < row.word_starts_frames[word] + row.word_frames[word]
        found.append(float(row.word_confidences[word]) if inside and phone != SILENCE else None)
    return found


def _write(path: Pathlike, rows: list[tuple]) -> None:
    CtmTable.from_rows(rows).write(path)
