"""Divides the changes of a campaign among processes, each with a copy of the journal."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from audit.journal import master_keys
from audit.journal.master_keys import MasterKeys

Change = TypeVar("Change")
Missed = list[tuple[str, int]]

_CHUNK = 2_000


def spread(
    work: Callable[[Path, Sequence[Change]], Missed], journal: Path, changes: Sequence[Change]
) -> Missed:
    """What ``work`` gives for all changes; in this process when they are few."""
    if len(changes) <= _CHUNK:
        return work(journal, changes)
    chunks = [changes[start : start + _CHUNK] for start in range(0, len(changes), _CHUNK)]
    workers = len(os.sched_getaffinity(0))
    copies = (journal, master_keys.in_use())
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin, initargs=copies
    ) as pool:
        return [one for found in pool.map(_work, [work] * len(chunks), chunks) for one in found]


class _Own:
    """What this process works on."""

    journal: Path


def _begin(journal: Path, keys: MasterKeys) -> None:
    master_keys._Process.keys = keys
    _Own.journal = journal.with_name(f"{journal.name}-{os.getpid()}")
    shutil.copytree(journal, _Own.journal)


def _work(work: Callable[[Path, Sequence[Change]], Missed], changes: Sequence[Change]) -> Missed:
    return work(_Own.journal, changes)
