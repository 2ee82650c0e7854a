"""Weights for decoding with a graph, and the file of the weights that a stage has chosen."""

from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from unscribed.artifacts import Pathlike, read_json, write_json
from unscribed.errors import UserError

AnyWeights = TypeVar("AnyWeights")  # a dataclass of numbers


@dataclass(frozen=True)
class Weights:
    """Acoustic scores are divided by `lm_weight`; each word or phone of the output costs `insertion_penalty`."""

    lm_weight: float
    insertion_penalty: float


def write_weights(path: Pathlike, weights: Any, score: float) -> None:
    """Write chosen weights, a dataclass of numbers, as JSON by their names, with their score."""
    write_json(path, asdict(weights) | {"score": score})


def read_weights(path: Pathlike, kind: type[AnyWeights]) -> AnyWeights:
    """Read weights into the dataclass `kind`. Raises UserError if the file is missing, damaged or lacks one of them."""
    try:
        values = read_json(path)
        return kind(**{field.name: float(values[field.name]) for field in fields(kind)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is missing or holds no {', '.join(field.name for field in fields(kind))} ({error!r}): delete it "
            "and run the workflow again."
        ) from error
