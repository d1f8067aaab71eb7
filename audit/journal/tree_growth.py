"""Makes leaf hashes, and the tree they lead to, while their entries' sync is waited for.

That wait holds no lock of the interpreter, so hashing beside it costs no time. It must begin after
the write: hashing small messages keeps the lock, and the writing thread would come back to wait
for it before it could ask for the sync. The tree that grows is a copy: if the sync fails, nothing
has changed.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple

from audit.journal.entry_batch import EncodedBatch
from audit.journal.merkle import Tree

_WORTH_A_THREAD = 16
"""Entries from which on handing over costs less than hashing."""


class Growth(NamedTuple):
    """The tree with a batch of entries.

    Attributes:
        tree: after them.
        leaves: their leaf hashes.
        completed: at higher levels of tiles, as ``Tree.extend`` returns it.
    """

    tree: Tree
    leaves: list[bytes]
    completed: list[tuple[int, bytes]]


class _Job:
    """A growth that is under way."""

    def __init__(self, tree: Tree, batch: EncodedBatch) -> None:
        self._tree = tree
        self._batch = batch
        self._done = threading.Event()
        self._growth: Growth | None = None

    def run(self) -> None:
        """Do it."""
        try:
            tree, leaves = self._tree.copy(), self._batch.leaf_hashes()
            self._growth = Growth(tree, leaves, tree.extend(leaves))
        finally:
            self._done.set()

    def result(self) -> Growth:
        """Once it is done; if its thread failed, it is done here, so that failure is seen."""
        self._done.wait()
        if self._growth is None:
            self.run()
        if self._growth is None:
            raise AssertionError("a run without an error has a result")
        return self._growth


class TreeGrowth:
    """One thread, started when first needed; it never keeps a process from ending."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def begin(self, tree: Tree, batch: EncodedBatch) -> Callable[[], Growth]:
        """Begin; what is given waits for the end."""
        job = _Job(tree, batch)
        if len(batch) < _WORTH_A_THREAD:
            job.run()
            return job.result
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal-hashes", daemon=True)
            self._thread.start()
        self._jobs.put(job)
        return job.result

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            with suppress(Exception):  # who waits for it does it again, and sees why
                job.run()
