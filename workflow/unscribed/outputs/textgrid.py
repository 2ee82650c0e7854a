"""Stage textgrid: words and phones of each utterance as a file that Praat and ELAN open.

Praat's long text format ("ooTextFile"), two interval tiers. An interval tier has no holes: where nothing is known to be
spoken lies an interval without a label, which is also how Praat's users write silence.
"""

import hashlib
import logging
import re
from collections.abc import Iterable

from unscribed.artifacts import Pathlike, atomic_folder
from unscribed.errors import UserError
from unscribed.tables import CtmTable, VadTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000  # times are rounded to these, so that neighbours meet exactly
TIERS = ("words", "phones")
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^\.')  # what some file system refuses or hides, and the escape itself
MOST_BYTES = 200  # of a file name without its suffix; file systems allow 255 with it
Interval = tuple[int, int, str]  # start and end in microseconds, label


def textgrid(*, phones_ctm: Pathlike, words_ctm: Pathlike, vad: Pathlike, folder: Pathlike) -> None:
    """Write `<utterance>.TextGrid` for every utterance of `vad` into the new folder `folder`.

    Both tiers cover 0 to the length of the original audio; `<SIL>` has no label. Characters of an utterance's name that
    file systems refuse are written as `%` and two hexadecimal digits. Raises UserError if the tables are of other
    utterances.
    """
    regions = VadTable.read(vad)
    known = set(regions["utterance"])
    spoken = {}
    for tier, path in zip(TIERS, (words_ctm, phones_ctm), strict=True):
        spoken[tier] = _intervals(path)
        if strange := sorted(spoken[tier].keys() - known):
            raise UserError(
                f"{path} has {len(strange)} utterances that {vad} lacks, for example {strange[0]}: the two come from "
                f"different runs. Delete {path} and run the stage ctm again."
            )
    with atomic_folder(folder) as temporary:
        for row in regions.itertuples():
            end = round(row.total_seconds * MICROSECONDS)
            tiers = {tier: complete_tier(spoken[tier].get(row.utterance, []), end) for tier in TIERS}
            text = textgrid_text(tiers, end)
            (temporary / f"{file_name(row.utterance)}.TextGrid").write_text(text, encoding="utf-8")
    log.info("%d TextGrids in %s", len(regions), folder)


def _intervals(path: Pathlike) -> dict[str, list[Interval]]:
    """The labelled intervals of a CTM table by utterance; silence is none."""
    table = CtmTable.read(path)
    found: dict[str, list[Interval]] = {}
    for row in table[table["symbol"] != SILENCE].itertuples():
        start, end = row.start_seconds, row.start_seconds + row.duration_seconds
        interval = (round(start * MICROSECONDS), round(end * MICROSECONDS), row.symbol)
        found.setdefault(row.utterance, []).append(interval)
    return found


def complete_tier(intervals: Iterable[Interval], end: int) -> list[Interval]:
    """Fill the gaps between `intervals` (ascending) and up to `end` with intervals without a label.

    What lies beyond `end` or has no length, which Praat does not allow, is left out.
    """
    tier: list[Interval] = []
    last = 0
    for start, stop, label in intervals:
        start, stop = max(start, last), min(stop, end)
        if start - last == 1:  # a rounding error, no gap
            start = last
        if stop <= start:
            continue
        if start > last:
            tier.append((last, start, ""))
        tier.append((start, stop, label))
        last = stop
    if last < end:
        tier.append((last, end, ""))
    return tier


def textgrid_text(tiers: dict[str, list[Interval]], end: int) -> str:
    """The text of a TextGrid with interval tiers from 0 to `end` (microseconds)."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {_seconds(end)}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {_seconds(end)}", f"        intervals: size = {len(intervals)}"]
        for place, (start, stop, label) in enumerate(intervals, start=1):
            lines += [f"        intervals [{place}]:", f"            xmin = {_seconds(start)}"]
            lines += [f"            xmax = {_seconds(stop)}", f"            text = {_quoted(label)}"]
    return "\n".join(lines) + "\n"


def file_name(utterance: str) -> str:
    """A name without suffix for the file of `utterance`, another one for every utterance; mostly its own name.

    Long names are cut and end in a hash of the whole.
    """
    safe = UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", utterance)
    if len(safe.encode()) <= MOST_BYTES:
        return safe
    start = safe.encode()[: MOST_BYTES - 20].decode(errors="ignore")
    return f"{start}%-{hashlib.sha256(utterance.encode()).hexdigest()[:16]}"  # `%-` is in no short name


def _seconds(microseconds: int) -> str:
    return f"{microseconds / MICROSECONDS:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
