"""Checks segments in several processes at once; their outcomes come back in order.

A worker is a fresh interpreter: it gets the task, and the keys for encrypted segments, and nothing
else of this process. It ends with this process, however that ends.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process

from audit.errors import IncompleteCheck
from audit.journal import master_keys
from audit.journal.master_keys import MasterKeys
from audit.journal.verify_segment import SegmentOutcome, SegmentTask, check_segment

_AHEAD = 2
"""Tasks handed out for each worker, so that none waits while an outcome is joined."""


def outcomes(
    tasks: Iterable[SegmentTask], workers: int, on_done: Callable[[SegmentTask], None]
) -> Iterator[SegmentOutcome]:
    """The outcome of each task, in order.

    Args:
        tasks: in order.
        workers: processes.
        on_done: told each task whose outcome follows.

    Raises:
        IncompleteCheck: a worker died.
        OSError: a segment can't be read.
    """
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(master_keys.in_use(),),
    )
    waiting: deque[tuple[SegmentTask, Future[SegmentOutcome]]] = deque()
    try:
        for task in tasks:
            waiting.append((task, pool.submit(check_segment, task)))
            if len(waiting) >= _AHEAD * workers:
                yield _next(waiting, on_done)
        while waiting:
            yield _next(waiting, on_done)
    except BrokenExecutor as error:
        raise IncompleteCheck(f"a process that verified segments died ({error})") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _next(
    waiting: deque[tuple[SegmentTask, Future[SegmentOutcome]]],
    on_done: Callable[[SegmentTask], None],
) -> SegmentOutcome:
    task, future = waiting.popleft()
    outcome = future.result()
    on_done(task)
    return outcome


def _begin(keys: MasterKeys) -> None:
    """In a new worker: leave Ctrl-C to the parent, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    master_keys.use(keys)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
