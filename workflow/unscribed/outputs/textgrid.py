"""Stage textgrid: write the words and phones of each utterance as a file that Praat and ELAN open.

Praat's long text format ("ooTextFile"), two interval tiers. An interval tier must not have gaps: an interval with an
empty label stands wherever no phone or word was decoded, which is also how Praat's users mark silence.
"""

import hashlib
import logging
import re
from collections.abc import Iterable

from unscribed.artifacts import Pathlike, atomic_folder
from unscribed.errors import UserError
from unscribed.outputs.unlearned import REASON, withheld
from unscribed.outputs.whole import Whole
from unscribed.tables import CtmTable, VadTable
from unscribed.text.silence import SILENCE

log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000  # per second; times are whole microseconds, so that adjacent intervals meet exactly
TIERS = ("words", "phones")  # from top to bottom, as Praat shows them
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^\.')  # refused by some file system or hiding the file; `%` escapes
MOST_BYTES = 200  # in a file name without suffix; most file systems allow 255 with it
Interval = tuple[int, int, str]  # start and end in microseconds, label


def textgrid(
    *,
    phones_ctm: Pathlike,
    words_ctm: Pathlike,
    vad: Pathlike,
    folder: Pathlike,
    cuts: Pathlike | None = None,
    verdict: Pathlike | None = None,
    unlearned: bool = False,
) -> None:
    """Write `<utterance>.TextGrid` for every utterance of `vad` into the new folder `folder`.

    Utterances that were cut from a recording, as `cuts` lists them, have one file together, with its name.

    Both tiers cover 0 to the length of the original audio; `<SIL>` has no label. Characters of an utterance's name that
    file systems refuse are written as `%` and two hexadecimal digits. If the run did not learn by its `verdict`, there
    is only a note, unless `unlearned`. Raises UserError if the CTM tables have utterances that `vad` lacks.
    """
    if withheld(verdict, unlearned):
        with atomic_folder(folder) as temporary:
            (temporary / "did-not-learn.txt").write_text(f"{REASON}\n", encoding="utf-8")
        log.warning("%s", REASON)
        return
    regions = VadTable.read(vad)
    lengths = Whole(cuts).lengths(zip(regions["utterance"], regions["total_seconds"], strict=True))
    by_tier = {}
    for tier, path in zip(TIERS, (words_ctm, phones_ctm), strict=True):
        by_tier[tier] = _intervals(path)
        if unknown := sorted(by_tier[tier].keys() - lengths.keys()):
            raise UserError(
                f"{path} has {len(unknown)} utterances that {vad} lacks, for example {unknown[0]}: the two come from "
                f"different runs. Delete {path} and run the stage ctm again."
            )
    with atomic_folder(folder) as temporary:
        for name, seconds in lengths.items():
            end = round(seconds * MICROSECONDS)
            tiers = {tier: complete_tier(by_tier[tier].get(name, []), end) for tier in TIERS}
            text = textgrid_text(tiers, end)
            (temporary / f"{file_name(name)}.TextGrid").write_text(text, encoding="utf-8")
    log.info("%d TextGrids in %s", len(lengths), folder)


def _intervals(path: Pathlike) -> dict[str, list[Interval]]:
    """Labelled intervals of a CTM table by utterance, without silence."""
    table = CtmTable.read(path)
    found: dict[str, list[Interval]] = {}
    for row in table[table["symbol"] != SILENCE].itertuples():
        start, end = row.start_seconds, row.start_seconds + row.duration_seconds
        interval = (round(start * MICROSECONDS), round(end * MICROSECONDS), row.symbol)
        found.setdefault(row.utterance, []).append(interval)
    return found


def complete_tier(intervals: Iterable[Interval], end: int) -> list[Interval]:
    """Fill the gaps between `intervals` (ascending) and up to `end` with intervals of empty label.

    Intervals beyond `end`, or of no length, which Praat refuses, are left out.
    """
    tier: list[Interval] = []
    last = 0
    for start, stop, label in intervals:
        start, stop = max(start, last), min(stop, end)
        if start - last == 1:  # one microsecond is a rounding error, not a gap
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
    """File name without suffix, unique to `utterance`: its own name if that is safe and short.

    Unsafe characters are escaped. A long name is cut and ends in a hash of the whole.
    """
    safe = UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", utterance)
    if len(safe.encode()) <= MOST_BYTES:
        return safe
    start = safe.encode()[: MOST_BYTES - 20].decode(errors="ignore")
    # `%-` is in no name that is not cut, so a cut name equals no other.
    return f"{start}%-{hashlib.sha256(utterance.encode()).hexdigest()[:16]}"


def _seconds(microseconds: int) -> str:
    return f"{microseconds / MICROSECONDS:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
