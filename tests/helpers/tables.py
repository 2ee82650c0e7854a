"""Tables for tests that care about a few of their columns."""

from collections.abc import Iterable
from typing import Any, TypeVar

import pyarrow as pa

from unscribed.tables import Table

Kind = TypeVar("Kind", bound=Table)


def filled(kind: type[Kind], **columns: Iterable[Any]) -> Kind:
    """A table of this kind with the given columns; the others hold empty strings and lists, 0 and False."""
    given = {name: list(values) for name, values in columns.items()}
    if unknown := given.keys() - kind.SCHEMA.keys():
        raise TypeError(f"{kind.__name__} has no column {min(unknown)}")
    rows = len(next(iter(given.values()), []))
    return kind(**{name: given.get(name, [_nothing(of)] * rows) for name, of in kind.SCHEMA.items()})


def _nothing(of: pa.DataType) -> Any:
    if pa.types.is_list(of):
        return []
    if pa.types.is_string(of):
        return ""
    return False if pa.types.is_boolean(of) else 0
