"""Run one package function as one Snakemake job: logging, arguments, errors.

workflow/scripts/call.py calls `call`; nothing here imports Snakemake.
"""

import dataclasses
import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from unscribed.errors import UserError

# Inputs and params that are for the rule, not for its function, which finds the user's files by its settings.
SKIPPED = ("code", "call", "given", "state")


def call(job: Any) -> None:
    """Run the function that the job's rule names in `params.call`, as `module:function` within the package.

    Its arguments are the job's named inputs, outputs and params and, where it asks for them, threads and wildcards.
    Left out are the input `code` (the function's sources, there so that an edit reruns the stage), the input `given`
    and the param `state` (the user's files, there so that a change reruns it), the param `call`, and files named
    `index` or `…_index` (the table beside a frame store, read and written with it). A dict given to an argument
    annotated with a dataclass becomes that dataclass. A UserError ends the process with status 1 and its message alone,
    in the log and on the terminal; any other exception with status 1 and its traceback.
    """
    with _reported(job, job.params["call"]):
        function = named_function(job.params["call"])
        function(**_arguments(job, function))


def named_function(name: str) -> Callable[..., Any]:
    """Import the function `module:function` of the package."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"unscribed.{module}"), function)


@contextmanager
def _reported(job: Any, name: str) -> Iterator[None]:
    """Log to the job's file and the terminal; log exceptions there and end the process with status 1."""
    log = Path(job.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        handlers=[logging.FileHandler(log, mode="w", encoding="utf-8"), logging.StreamHandler(sys.stderr)],
        force=True,
    )
    try:
        yield
    except UserError as error:
        logging.error("error: %s", error)
        sys.exit(1)
    except Exception:
        logging.exception("%s failed; this is a defect of the workflow, not of your data", name)
        sys.exit(1)


def is_argument(name: str) -> bool:
    """Tell whether a rule's file or param of this name is an argument of the rule's function."""
    return name not in SKIPPED and not name.endswith("index")


def _arguments(job: Any, function: Callable[..., None]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for source in (job.input, job.output, job.params):
        given.update({name: value for name, value in source.items() if is_argument(name)})
    wanted = inspect.signature(function).parameters
    if "threads" in wanted:
        given["threads"] = job.threads
    for name, value in job.wildcards.items():
        if name in wanted:
            given.setdefault(name, value)  # a file of the same name wins
    hints = get_type_hints(function)
    for name, value in given.items():
        kind = hints.get(name)
        if isinstance(value, dict) and dataclasses.is_dataclass(kind):
            given[name] = kind(**value)
    return given
