"""Times in whole recordings: utterances that were cut from a long one are joined again."""

from collections.abc import Iterable

from unscribed.artifacts import Pathlike
from unscribed.tables import CutTable


class Whole:
    """The pieces that a corpus was cut into; none without a table of them."""

    def __init__(self, cuts: Pathlike | None) -> None:
        rows = CutTable.read(cuts).itertuples() if cuts else ()
        self.pieces = {row.utterance: (row.recording, row.start_seconds, row.recording_seconds) for row in rows}

    def rows(self, rows: Iterable[tuple]) -> list[tuple]:
        """Return rows of (utterance, channel, start, …) in seconds, with the recording and the time in it instead."""
        found = []
        for utterance, channel, start, *others in rows:
            name, offset, _ = self.pieces.get(utterance, (utterance, 0.0, 0.0))
            found.append((name, channel, start + offset, *others))
        return found

    def lengths(self, seconds: Iterable[tuple[str, float]]) -> dict[str, float]:
        """Return the length of each recording, given pairs of utterance and its own length, in their order."""
        found = {}
        for utterance, own in seconds:
            name, _, length = self.pieces.get(utterance, (utterance, 0.0, own))
            found[name] = length
        return found
