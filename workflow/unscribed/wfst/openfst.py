"""Files of OpenFst: language models as transducers, and their symbol tables."""

import kaldifst

from unscribed.artifacts import Pathlike
from unscribed.errors import UserError
from unscribed.text.lines import read_lines


def read_symbols(path: Pathlike) -> dict[str, int]:
    """Read a symbol table with `symbol id` on each line. Raises UserError for a line of another form."""
    table = {}
    for number, line in read_lines(path):
        symbol, _, value = line.rpartition(" ")
        if not symbol or not value.isdecimal():
            raise UserError(f"{path}, line {number}: expected `symbol id`. Delete the file and run its stage again.")
        table[symbol] = int(value)
    return table


def read_fst(path: Pathlike) -> kaldifst.StdVectorFst:
    """Read an OpenFst file. Raises UserError if it is missing, damaged or has no states."""
    try:
        with open(path, "rb") as file:
            file.read(1)
        fst = kaldifst.StdVectorFst.read(str(path))
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path} cannot be read ({error}): delete it and run the stage that makes it again.") from error
    if fst is None or fst.num_states == 0:
        raise UserError(f"{path} holds no language model: delete it and run the stage that makes it again.")
    return fst
