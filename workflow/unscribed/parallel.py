"""Run a function over many utterances with threads, in order and with bounded memory; report the speed.

Decoding and numpy release the interpreter lock for most of their time, so threads are enough.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 4  # results waiting per thread: enough to keep the threads busy, few enough to keep memory flat


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, label: str
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in order, with at most a few results per thread in memory.

    Shows a progress bar if stderr is a terminal. An error of `function` is raised here and ends the work.
    """
    total = len(items) if isinstance(items, Sized) else None
    waiting: deque[Future[Result]] = deque()
    with (
        ThreadPoolExecutor(max_workers=max(1, threads)) as pool,
        tqdm(total=total, desc=label, disable=None) as progress,
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


def log_speed(log: logging.Logger, count: int, audio_seconds: float, started: float) -> None:
    """Log how many utterances and hours were done since `started` (of `time.monotonic`), and how fast."""
    seconds = max(time.monotonic() - started, 1e-6)
    log.info(
        "%d utterances, %.2f h of audio in %.1f s (%.0f x real time)",
        count,
        audio_seconds / 3600,
        seconds,
        audio_seconds / seconds,
    )
