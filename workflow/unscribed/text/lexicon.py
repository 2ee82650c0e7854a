"""The pronunciation lexicon as the field's tools read it: `word phone phone …`, sorted."""

import logging
from pathlib import Path

from unscribed.artifacts import read_table, write_lines
from unscribed.errors import UserError
from unscribed.text.lines import read_lines

log = logging.getLogger(__name__)


def lexicon(*, lexicon_table: str | Path, phones: str | Path, lexicon: str | Path) -> None:
    """Write the words of `lexicon_table` whose phones are all in the inventory `phones`.

    Sorted by code point, which is the order of `LC_ALL=C sort`.
    Raises UserError if no word is left.
    """
    inventory = {phone for _, phone in read_lines(phones)}
    table = read_table(lexicon_table)
    kept = sorted(
        (word, list(found))
        for word, found in zip(table["word"], table["phones"], strict=True)
        if len(found) and inventory.issuperset(found)
    )
    if not kept:
        raise UserError(
            f"no word of {lexicon_table} is made of the phones in {phones}: the two come from different texts. "
            "Delete both and run the stage phonemize again."
        )
    write_lines(lexicon, [" ".join([word, *found]) for word, found in kept])
    log.info("%d words in the lexicon; %d left out for a rare phone", len(kept), len(table) - len(kept))
