"""A writer at work beside who looks at its journal, and at most so far ahead of it."""

import threading


class Pace:
    """Lets a writer go on by so many batches for each look: unbounded, it could run away.

    A journal that grows faster than it is read would make each look longer than the one before.
    """

    def __init__(self, batches: int = 40) -> None:
        self._batches = batches
        self._room = threading.Semaphore(0)
        self._ended = threading.Event()

    def look(self) -> None:
        """Somebody looks: the writer may go on."""
        for _ in range(self._batches):
            self._room.release()

    def goes_on(self) -> bool:
        """Whether to write the next batch; waits until somebody looks."""
        while not self._ended.is_set():
            if self._room.acquire(timeout=0.05):
                return True
        return False

    def end(self) -> None:
        """Nobody looks any more."""
        self._ended.set()
