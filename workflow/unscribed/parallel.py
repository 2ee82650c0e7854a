"""Run a function over many utterances in threads, in order and in bounded memory; log the speed.

Threads are enough: decoding and numpy run without the interpreter lock most of the time.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 4  # items in work or waiting per thread: fewer leave threads idle, more need memory


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, label: str | None
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in order, with at most a few results per thread in memory.

    Shows a progress bar called `label` if there is one and stderr is a terminal. Raises what `function` raises, and
    stops.
    """
    total = len(items) if isinstance(items, Sized) else None
    waiting: deque[Future[Result]] = deque()
    with (
        ThreadPoolExecutor(max_workers=max(1, threads)) as pool,
        tqdm(total=total, desc=label, disable=None if label else True) as progress,
    ):
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > AHEAD * max(1, threads):
                    yield waiting.popleft().result()
                    progress.update()
            while waiting:
                yield waiting.popleft().result()
                progress.update()
        finally:
            for future in waiting:
                future.cancel()


def numeric_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, label: str | None
) -> Iterator[Result]:
    """Yield as `ordered_map` does, each item with one thread for its matrix products.

    Items in parallel are faster than parallel matrix products within one.
    """
    with threadpool_limits(1):
        yield from ordered_map(function, items, threads, label)


def log_speed(log: logging.Logger, count: int, audio_seconds: float, started: float) -> None:
    """Log the number of utterances and hours processed since `started` (of `time.monotonic`), and the speed."""
    seconds = max(time.monotonic() - started, 1e-6)
    log.info(
        "%d utterances, %.2f h of audio in %.1f s (%.0f x real time)",
        count,
        audio_seconds / 3600,
        seconds,
        audio_seconds / seconds,
    )
