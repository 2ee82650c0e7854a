"""Stage phone_lm: the n-gram language models of the phone text, one per order."""

from pathlib import Path

from unscribed.errors import UserError
from unscribed.text.inventory import read_inventory
from unscribed.text.lines import read_lines
from unscribed.text.ngram import ngram_model, symbol_table


def phone_lm(
    *,
    phones_text: str | Path,
    phones: str | Path,
    order: int | str,
    seed: int,
    arpa: str | Path,
    fst: str | Path,
    report: str | Path,
) -> None:
    """Write the model of one order of the phone text, `<SIL>` included; see `ngram_model`.

    The graph's symbols are `<eps>`, the phones of the inventory `phones` in its order, and `#0`. `order` is a string
    in a job, because it is a wildcard.
    Raises UserError if the text is empty, too small for the order, or has other phones.
    """
    sentences = [line for _, line in read_lines(phones_text) if line.strip()]
    if not sentences:
        raise UserError(f"{phones_text} has no sentences: run the stages normalize and phonemize on more text.")
    ngram_model(
        sentences,
        order=int(order),
        prune=[],
        seed=seed,
        symbols=symbol_table(read_inventory(phones)),
        key="phone_lm.orders",
        arpa=arpa,
        fst=fst,
        report=report,
    )
